/* Networks that remember earlier samples, and those of several integer types: every answer of a sequence has the
 * bits that it must have, again after a reset, and however the network is damaged it stays in its memory.
 *
 *   test_stream FILE.seq...
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vector.h"

enum { HEAD = 24 };

struct sequence {
    const unsigned char *image, *x, *y;
    size_t               image_size, samples, x_size, y_size; /* the last two: bytes of each */
};

static unsigned char *read_sequence(const char *path, struct sequence *s)
{
    uint32_t       word[5];
    size_t         size;
    unsigned char *data = read_file(path, &size);
    CHECK(size > HEAD && memcmp(data, "SSEQ", 4) == 0);
    memcpy(word, data + 4, sizeof word);
    CHECK(word[0] == 1);
    s->image_size = word[1], s->samples = word[2], s->x_size = word[3], s->y_size = word[4];
    CHECK(size == HEAD + s->image_size + s->samples * (s->x_size + s->y_size));
    s->image = data + HEAD;
    s->x = s->image + s->image_size;
    s->y = s->x + s->samples * s->x_size;
    return data;
}

/* Answers the first samples of a sequence; true where all have the right bits. */
static bool answers(struct shoal *net, const struct sequence *s, size_t count)
{
    const struct shoal_info info = shoal_info(net);
    unsigned char          *x = copy_of(s->x, s->x_size), *y = copy_of(s->y, s->y_size);
    bool                    good = true;
    for (size_t i = 0; i < count; i++) {
        memcpy(x, s->x + i * s->x_size, s->x_size);
        good &= shoal_predict(net, x, info.inputs, y, info.outputs) == SHOAL_OK;
        good &= memcmp(y, s->y + i * s->y_size, s->y_size) == 0;
    }
    free(x);
    free(y);
    return good;
}

static void check_sequence(const struct sequence *s)
{
    struct device d = open_device(s->image, s->image_size);
    CHECK(answers(d.net, s, s->samples));
    const bool remembers = !answers(d.net, s, s->samples);
    uint32_t   stream;
    memcpy(&stream, s->image + 60, 4);
    CHECK(remembers == (stream > 0));
    shoal_reset(d.net);
    CHECK(answers(d.net, s, s->samples));
    /* What is saved and loaded holds nothing of it. */
    shoal_reset(d.net);
    CHECK(answers(d.net, s, 1));
    const size_t   size = shoal_state_size(d.net);
    unsigned char *saved = copy_of(s->image, size < s->image_size ? size : s->image_size);
    if (size <= s->image_size) {
        CHECK(shoal_save(d.net, saved, size) == SHOAL_OK);
        CHECK(shoal_load(d.net, saved, size) == SHOAL_OK);
        const struct sequence rest = {s->image, s->x + s->x_size, s->y + s->y_size, s->image_size, s->samples - 1,
                                      s->x_size, s->y_size};
        CHECK(answers(d.net, &rest, rest.samples));
    }
    free(saved);
    close_device(&d);
}

/* Every byte of the records changed: refused, or answered within the memory, which a sanitizer watches. */
static void check_records(const struct sequence *s)
{
    static const unsigned char changes[] = {1, 2, 4, 128, 255};
    uint32_t                   counts[3]; /* tensors, forward, learning */
    size_t                     refused = 0, all = 0;
    memcpy(counts, s->image + 16, sizeof counts);
    const size_t end = 64 + 20 * counts[0] + 36 * (counts[1] + counts[2]);
    for (size_t i = 40; i < end; i++)
        for (size_t k = 0; k < sizeof changes; k++) {
            unsigned char *image = copy_of(s->image, s->image_size);
            size_t         size;
            image[i] ^= changes[k];
            seal(image, s->image_size);
            all++;
            if (shoal_memory_needed(&size, image, s->image_size) != SHOAL_OK) refused++;
            else if (size < 1 << 16) {
                struct device           d = open_device(image, s->image_size);
                const struct shoal_info info = shoal_info(d.net);
                float                  *x = calloc(info.inputs, 4), *y = calloc(info.outputs, 4);
                CHECK(shoal_predict(d.net, x, info.inputs, y, info.outputs) == SHOAL_OK);
                free(x);
                free(y);
                close_device(&d);
            }
            free(image);
        }
    CHECK(refused > all / 2 && refused < all);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct sequence s = {0};
        unsigned char  *data = read_sequence(argv[i], &s);
        unsigned char  *image = copy_of(s.image, s.image_size); /* aligned */
        s.image = image;
        check_sequence(&s);
        check_records(&s);
        free(image);
        free(data);
    }
    return check_end("stream");
}
