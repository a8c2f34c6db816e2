/* The pixel size of an OME-TIFF: attributes of <Pixels> in the OME-XML that stands in the first page's
 * description (OME-XML schema 2016-06). They are handed on as properties, as OpenSlide hands on those
 * of the other formats. */
#include <stdlib.h>
#include <string.h>

#include <libxml/xmlreader.h>

#include "slide/slide_private.h"

static hlrp_status copy_attribute(hlrp_slide *slide, xmlTextReaderPtr reader, const char *name,
                                  hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char key[64];
    char *value = (char *)xmlTextReaderGetAttribute(reader, (const xmlChar *)name);
    snprintf(key, sizeof key, "ome.%s", name);
    if (value) {
        HLRP_TRY(hlrp_strings_add(&slide->keys, key, err));
        HLRP_TRY(hlrp_strings_add(&slide->values, value, err));
    }
out:
    xmlFree(value);
    return status;
}

static bool attribute_is(xmlTextReaderPtr reader, const char *name, int64_t wanted) {
    int64_t number = -1;
    char *value = (char *)xmlTextReaderGetAttribute(reader, (const xmlChar *)name);
    const bool same = value && hlrp_parse_int(value, &number) && number == wanted;
    xmlFree(value);
    return same;
}

/* Whether the reader stands on the <Pixels> of level 0: a file may hold several pictures, and
 * programs that reduce a picture leave its description as it was. */
static bool is_pixels_of(xmlTextReaderPtr reader, hlrp_size size) {
    const xmlChar *name = xmlTextReaderConstLocalName(reader);
    return xmlTextReaderNodeType(reader) == XML_READER_TYPE_ELEMENT && name &&
           strcmp((const char *)name, "Pixels") == 0 && attribute_is(reader, "SizeX", size.w) &&
           attribute_is(reader, "SizeY", size.h);
}

/* XML that is no good is no pixel size, and neither is one with a document type: no entity is ever
 * looked at. */
hlrp_status hlrp_slide_read_ome(hlrp_slide *slide, hlrp_error *err) {
    static const char *const names[] = {"PhysicalSizeX", "PhysicalSizeXUnit", "PhysicalSizeY",
                                        "PhysicalSizeYUnit"};
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    const char *text = hlrp_slide_property(slide, "tiff.ImageDescription");
    const size_t length = text ? strlen(text) : 0;
    hlrp_status status = HLRP_OK;
    if (!text || length > INT32_MAX || !strstr(text, "<OME"))
        return HLRP_OK;
    xmlTextReaderPtr reader = xmlReaderForMemory(text, (int)length, NULL, NULL, options);
    while (reader && xmlTextReaderRead(reader) == 1) {
        if (xmlTextReaderNodeType(reader) == XML_READER_TYPE_DOCUMENT_TYPE)
            break;
        if (!is_pixels_of(reader, slide->levels[0].size))
            continue;
        for (size_t i = 0; i < HLRP_COUNT(names); i++)
            HLRP_TRY(copy_attribute(slide, reader, names[i], err));
        break;
    }
out:
    xmlFreeTextReader(reader);
    return status;
}
