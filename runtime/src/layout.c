/* Padding and resizing: values move, whatever their type. */
#include "network.h"

/* Values (height, width, channels). */
struct image {
    uint8_t        *at;
    const uint32_t *shape;
};

static void *place(const struct image *m, size_t row, size_t column, size_t channel, size_t size)
{
    return m->at + ((row * m->shape[1] + column) * m->shape[2] + channel) * size;
}

/* Lanes of bytes lie one after the other; all lanes of a float move at once. */
static size_t passes(const struct tensor *t) { return bytes_in(t->type) == 1 ? SHOAL_WIDTH : 1; }

static size_t size_of_value(const struct tensor *t) { return bytes_in(t->type) == 1 ? 1 : sizeof(real); }

void SHOAL_NAME(pad_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const size_t        size = size_of_value(&in);
    for (size_t l = 0; l < passes(&in); l++) {
        const struct image x = {bytes_of(net, &in, l), in.shape}, y = {bytes_of(net, &out, l), out.shape};
        memset(y.at, out.zero_point, tensor_size(&out) * size); /* 0 for floats */
        for (size_t row = 0; row < in.shape[0]; row++)
            for (size_t column = 0; column < in.shape[1]; column++)
                memcpy(place(&y, row + op->padding[0], column + op->padding[1], op->kernel[0], size),
                       place(&x, row, column, 0, size), in.shape[2] * size);
    }
}

/* Which of `in` positions is nearest to an output position, in float as TensorFlow Lite takes it. */
static size_t nearest(size_t position, uint32_t in, uint32_t out, uint8_t flags)
{
    const bool   corners = (flags & 1) != 0, centers = (flags & 2) != 0;
    const float  scale = corners && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
    const float  at = ((float)position + (centers ? 0.5f : 0.0f)) * scale;
    const size_t whole = (size_t)at; /* the rest is exact */
    const size_t index = whole + (corners && at - (float)whole >= 0.5f ? 1 : 0);
    return index < in ? index : in - 1;
}

void SHOAL_NAME(resize_nearest_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const size_t        size = size_of_value(&in);
    for (size_t l = 0; l < passes(&in); l++) {
        const struct image x = {bytes_of(net, &in, l), in.shape}, y = {bytes_of(net, &out, l), out.shape};
        for (size_t row = 0; row < out.shape[0]; row++) {
            const size_t from = nearest(row, in.shape[0], out.shape[0], op->groups);
            for (size_t column = 0; column < out.shape[1]; column++)
                memcpy(place(&y, row, column, 0, size),
                       place(&x, from, nearest(column, in.shape[1], out.shape[1], op->groups), 0, size),
                       in.shape[2] * size);
        }
    }
}
