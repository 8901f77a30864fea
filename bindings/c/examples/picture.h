/*
 * picture.h: reads a picture for the examples: PPM (P6) always, JPEG with -DWITH_JPEG and libturbojpeg.
 */
#ifndef PICTURE_H
#define PICTURE_H

#include <stdio.h>
#include <stdlib.h>

#ifdef WITH_JPEG
#include <turbojpeg.h>
#endif

/* Pixels of R G B without gaps, for free(). */
struct picture {
	unsigned width, height;
	unsigned char *rgb;
};

/* Reads a whole file; null if that fails. */
static unsigned char *picture_file(const char *path, size_t *length)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = NULL;
	long size;

	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0) {
		*length = (size_t)size;
		data = (unsigned char *)malloc(*length + 1);
		if (data && fread(data, 1, *length, f) != *length) {
			free(data);
			data = NULL;
		}
		if (data)
			data[*length] = 0; /* ends what sscanf reads */
	}
	fclose(f);
	return data;
}

/* Reads a picture. Returns null, or what is wrong with it in words. */
static const char *picture_read(const char *path, struct picture *p)
{
	size_t length = 0, pixels;
	unsigned char *data = picture_file(path, &length);
	unsigned most = 0;
	int header = 0;

	p->rgb = NULL;
	if (!data)
		return "it cannot be read";
#ifdef WITH_JPEG
	if (length > 2 && data[0] == 0xff && data[1] == 0xd8) {
		tjhandle decoder = tjInitDecompress();
		int width = 0, height = 0, subsampling, colours;
		if (decoder && tjDecompressHeader3(decoder, data, length, &width, &height, &subsampling, &colours) == 0 &&
		    width > 0 && height > 0 && (p->rgb = (unsigned char *)malloc((size_t)width * (size_t)height * 3)) != NULL &&
		    tjDecompress2(decoder, data, length, p->rgb, width, 0, height, TJPF_RGB, 0) != 0) {
			free(p->rgb);
			p->rgb = NULL;
		}
		p->width = (unsigned)width;
		p->height = (unsigned)height;
		tjDestroy(decoder);
		free(data);
		return p->rgb ? NULL : "it is a damaged JPEG file";
	}
#endif
	if (sscanf((char *)data, "P6 %u %u %u%n", &p->width, &p->height, &most, &header) == 3 && most == 255 &&
	    p->width > 0 && p->height > 0 && p->width <= 16384 && p->height <= 16384 &&
	    (size_t)header < length &&
	    (pixels = (size_t)p->width * p->height * 3) <= length - (size_t)header - 1 &&
	    (p->rgb = (unsigned char *)malloc(pixels)) != NULL) {
		unsigned char *from = data + header + 1;
		size_t i;
		for (i = 0; i < pixels; i++)
			p->rgb[i] = from[i];
	}
	free(data);
	return p->rgb ? NULL : "it is neither PPM (P6, 8 bits) nor, where built with libturbojpeg, JPEG";
}

#endif
