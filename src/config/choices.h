/* Choice lists of the table: "a|b|c". */
#ifndef HLRP_CONFIG_CHOICES_H
#define HLRP_CONFIG_CHOICES_H

#include "util/util.h"

/* Number of the choice that text[0..n) is, or -1. "pair:*NAME" matches "pair:" and any tail. */
int hlrp_choice_find(const char *choices, const char *text, size_t n);

/* Copies choice number i into buf as people read it ("pair:NAME"), "" past the end. */
void hlrp_choice_name(const char *choices, int i, char *buf, size_t size);

/* The nearest choice by spelling, into buf. */
void hlrp_choice_nearest(const char *choices, const char *text, char *buf, size_t size);

#endif
