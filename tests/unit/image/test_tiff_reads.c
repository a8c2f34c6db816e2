/* TIFFs on a disk that fails for a moment. */
#include "unit/image/scratch.h"

#include <errno.h>
#include <sys/syscall.h>

#include "image/tiff_tiles.h"
#include "unit/slide/tiff_page.h"

/* Stands in for the C library's, in this program. */
static bool failing;

ssize_t read(int fd, void *buffer, size_t size) {
    if (!failing)
        return syscall(SYS_read, fd, buffer, size);
    errno = EIO;
    return -1;
}

enum { TILE = 128, BYTES = TILE * TILE * 3, GUARD = 64 };

/* Guards: -1 for the bytes of a read that failed, of which libtiff 4.5.0 makes a size and clears
 * memory before its buffer. Of compressed tiles that is one of its own: the address sanitizer sees
 * it. */
static void a_failed_read_stays_in_its_buffer(void **state) {
    static const uint16_t codecs[] = {COMPRESSION_NONE, COMPRESSION_ADOBE_DEFLATE};
    static uint8_t room[GUARD + BYTES + GUARD];
    for (size_t k = 0; k < HLRP_COUNT(codecs); k++) {
        const tiff_page page = {.w = 300, .h = 200, .codec = codecs[k]};
        hlrp_error err = {0};
        hlrp_tiff_tiles *tiff = NULL;
        hlrp_size tile = {0};
        int number = -1;
        assert_int_equal(hlrp_tiff_tiles_open(tiff_write(*state, &page, 1), &tiff, &err), HLRP_OK);
        assert_true(hlrp_tiff_tiles_find(tiff, (hlrp_size){300, 200}, true, &number, &tile));
        assert_int_equal(tile.w, TILE);
        assert_true(hlrp_tiff_tiles_read(tiff, number, 0, 0, room + GUARD)); /* its directory */
        memset(room, 0xab, sizeof room);
        failing = true;
        assert_false(hlrp_tiff_tiles_read(tiff, number, TILE, 0, room + GUARD));
        failing = false;
        assert_string_equal(hlrp_tiff_tiles_words(tiff), "cannot read: Input/output error");
        for (int i = 0; i < GUARD; i++)
            if (room[i] != 0xab || room[GUARD + BYTES + i] != 0xab)
                fail_msg("byte %d beside the buffer was written to", i);
        assert_true(hlrp_tiff_tiles_read(tiff, number, TILE, 0, room + GUARD));
        assert_int_equal(room[GUARD + 3 * (5 * TILE + 7) + 1], tiff_value(0, TILE + 7, 5, 1));
        hlrp_tiff_tiles_close(tiff);
    }
}

static void a_failed_open_says_why(void **state) {
    static const tiff_page page = {.w = 300, .h = 200};
    hlrp_error err = {0};
    hlrp_tiff_tiles *tiff = NULL;
    const char *path = tiff_write(*state, &page, 1);
    failing = true;
    const hlrp_status status = hlrp_tiff_tiles_open(path, &tiff, &err);
    failing = false;
    assert_int_equal(status, HLRP_E_INPUT);
    assert_string_equal(err.what, "this is no TIFF: cannot read: Input/output error");
    assert_int_equal(hlrp_tiff_tiles_open("nowhere/a.tif", &tiff, &err), HLRP_E_INPUT);
    assert_string_equal(err.what, "this is no TIFF: nowhere/a.tif: No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_read_stays_in_its_buffer),
        cmocka_unit_test(a_failed_open_says_why),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
