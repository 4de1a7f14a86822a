/* LSTM in float32: from each row of the input, and from what it remembers, a row of the answer.
 *
 * Weights (units, 4 gates, inputs + units), biases (units, 4): the gates are input, forget, cell, output. */
#include "elementary.h"
#include "network.h"
#include "product.h"
#include "tile.h"

#if SHOAL_WIDTH == 1

enum { INPUT, FORGET, CELL, OUTPUT, GATES };

struct lstm {
    const float *w, *b;
    float       *c; /* the cells */
    size_t       inputs, units, row; /* row: of the weights */
    float        clip;               /* of the cells; 0: none */
};

/* Adds to each gate the products of x with its weights, n of them, in order. */
static void add_to(float gate[GATES], const float *x, size_t n, const float *w, size_t row)
{
#if SCALAR
    shoal_multiply_turned(gate, gate, GATES, x, n, w, row);
#else
    for (size_t i = 0; i < n; i++)
        for (size_t g = 0; g < GATES; g++) gate[g] += x[i] * w[g * row + i];
#endif
}

/* One row: h is the row of the answer before it. */
static void step(const struct lstm *l, const float *x, const float *h, float *y)
{
    const float *w = l->w;
    for (size_t u = 0; u < l->units; u++, w += GATES * l->row) {
        float gate[GATES];
        memcpy(gate, l->b + GATES * u, sizeof gate);
        add_to(gate, x, l->inputs, w, l->row);
        add_to(gate, h, l->units, w + l->inputs, l->row);
        float c = real_sigmoid(gate[FORGET]) * l->c[u] + real_sigmoid(gate[INPUT]) * real_tanh(gate[CELL]);
        if (l->clip > 0.0f) c = larger(smaller(c, l->clip), -l->clip);
        l->c[u] = c;
        y[u] = real_sigmoid(gate[OUTPUT]) * real_tanh(c);
    }
}

void shoal_lstm_forward(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct tensor w = tensor_at(net, op->weights), aux = tensor_at(net, op->aux);
    const struct tensor hidden = tensor_at(net, op->in2), cells = tensor_at(net, op->bias);
    const struct lstm   l = {constants_of(net, &w), constants_of(net, &aux), remembered(net, &cells),
                             in.shape[2], out.shape[2], w.shape[2], op->value[0]};
    const float        *x = values_of(net, &in), *h = remembered(net, &hidden);
    float              *y = values_of(net, &out);
    for (size_t rows = (size_t)in.shape[0] * in.shape[1]; rows > 0; rows--) {
        step(&l, x, h, y);
        h = y;
        x += l.inputs;
        y += l.units;
    }
    memcpy(remembered(net, &hidden), h, sizeof *h * l.units);
}

#else
typedef int lstm_is_for_devices; /* a translation unit must not be empty */
#endif
