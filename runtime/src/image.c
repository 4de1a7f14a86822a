/* The loader. Every offset, shape, product and loop bound of an image is checked here, once,
 * so that execution needs no checks: whatever the bytes, they are refused or safe to run. */
#include "fixed.h"
#include "quantized.h"

#define MAGIC 0x4C4F4853u
#define VERSION 2
enum { LAST_TYPE = HAS_INTEGERS ? I16 : F32 };

#define LARGEST (UINT32_C(1) << 28) /* words in a space, elements of a tensor */
#define HALF_PIXEL_CENTERS 2
#define ALIGNMENT (SHOAL_WIDTH == 1 ? sizeof(void *) : sizeof(real))

/* The tensors of one operation; `none` where it has none. */
struct parts {
    const struct tensor *in, *in2, *out, *weights, *bias, *aux;
};

/* Tensors are checked before the operations: sizes are at most 2^28, ends those of their space. */
static uint32_t size_of(const struct tensor *t) { return t->shape[0] * t->shape[1] * t->shape[2]; }

/* One past the last word of a tensor in its space. */
static uint32_t end_of(const struct tensor *t) { return t->offset + (uint32_t)words_of(t); }

static bool present(const struct tensor *t) { return t->shape[0] != 0; }

static bool has_shape(const struct tensor *t, uint32_t height, uint32_t width, uint32_t channels)
{
    return t->shape[0] == height && t->shape[1] == width && t->shape[2] == channels;
}

SHOAL_OUTLINED bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return has_shape(a, b->shape[0], b->shape[1], b->shape[2]) && a->grows == b->grows;
}

SHOAL_OUTLINED bool same_place(const struct tensor *a, const struct tensor *b)
{
    return a->space == b->space && a->offset == b->offset && bytes_in(a->type) == bytes_in(b->type) &&
           size_of(a) == size_of(b);
}

static bool apart(const struct tensor *a, const struct tensor *b)
{
    return !present(a) || !present(b) || a->space != b->space ||
           end_of(a) <= b->offset || end_of(b) <= a->offset;
}

/* --- Parts of operations ---------------------------------------------------------------- */

static bool is_window_sound(const struct operation *op, const struct tensor *in,
                            const struct tensor *out)
{
    for (size_t axis = 0; axis < 2; axis++) {
        const uint32_t kernel = op->kernel[axis], stride = op->stride[axis];
        const uint32_t before = op->padding[axis], after = op->padding[axis + 2];
        /* With less padding than kernel every window holds at least one real position. */
        if (kernel == 0 || stride == 0 || before >= kernel || after >= kernel) return false;
        const uint32_t padded = in->shape[axis] + before + after; /* at most 2^28 + 510 */
        if (padded < kernel || out->shape[axis] != (padded - kernel) / stride + 1) return false;
    }
    return true;
}

static bool is_bias_sound(const struct tensor *bias, uint32_t channels)
{
    return !present(bias) || has_shape(bias, 1, 1, channels);
}

static bool is_padding_sound(const struct operation *op, const struct tensor *x, const struct tensor *y)
{
    return y->shape[0] == x->shape[0] + op->padding[0] + op->padding[2] &&
           y->shape[1] == x->shape[1] + op->padding[1] + op->padding[3] &&
           y->shape[2] == x->shape[2] + op->kernel[0] + op->kernel[1];
}

static bool is_finite(float value) { return value - value == 0.0f; }

/* Number i of a quantized operation; its tensor was checked to hold as many. */
static int32_t number_at(const struct shoal *net, const struct tensor *aux, uint32_t i)
{
    int32_t number;
    memcpy(&number, (const uint8_t *)constants_of(net, aux) + 4 * (size_t)i, 4);
    return number;
}

/* Pairs from number `first` up to `end`: a multiplier of at least 0 and a shift, left where positive. */
static bool are_scales_sound(const struct shoal *net, const struct tensor *aux, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i += 2)
        if (number_at(net, aux, i) < 0 || number_at(net, aux, i + 1) < -31 ||
            number_at(net, aux, i + 1) > 30)
            return false;
    return true;
}

/* The numbers of a quantized operation: the least and the largest output, then scales. */
static bool are_numbers_sound(const struct shoal *net, const struct parts *p, uint32_t scales)
{
    const struct tensor *aux = p->aux;
    const int32_t        least = p->in->type == U8 ? 0 : -128;
    return has_shape(aux, 1, 1, 2 + 2 * scales) && aux->space == CONSTANTS &&
           number_at(net, aux, 0) >= least && number_at(net, aux, 1) <= least + 255 &&
           number_at(net, aux, 0) <= number_at(net, aux, 1) &&
           are_scales_sound(net, aux, 2, 2 + 2 * scales);
}

/* --- Operations that remember, and those between types of integers --------------------------------- */

static bool is_memory(const struct tensor *t, uint32_t height, uint32_t width, uint32_t channels)
{
    return t->space == STREAM && has_shape(t, height, width, channels);
}

/* The answer has a row for each of the input's; `numbers` of aux come before the biases. */
static bool is_lstm_sound(const struct parts *p, uint32_t numbers)
{
    const struct tensor *x = p->in, *y = p->out, *w = p->weights, *aux = p->aux;
    const uint32_t       units = y->shape[2];
    return x->shape[0] == y->shape[0] && x->shape[1] == y->shape[1] && w->space == CONSTANTS &&
           has_shape(w, 1, 4 * units, x->shape[2] + units) && is_memory(p->in2, 1, 1, units) &&
           is_memory(p->bias, 1, 1, units) && aux->space == CONSTANTS && has_shape(aux, 1, 1, numbers + 4 * units);
}

static bool is_quantized_lstm_sound(const struct shoal *net, const struct parts *p)
{
    const struct tensor *aux = p->aux;
    return HAS(SHOAL_QUANTIZED, LSTM) && is_lstm_sound(p, 20) && p->in2->zero_point == p->out->zero_point &&
           are_scales_sound(net, aux, 0, 18) && number_at(net, aux, 18) >= 0 && number_at(net, aux, 18) <= 6 &&
           number_at(net, aux, 19) >= 0 && number_at(net, aux, 19) <= 32767;
}

static bool is_svdf_sound(const struct shoal *net, const struct parts *p)
{
    const struct tensor *y = p->out, *w = p->weights, *times = p->bias, *aux = p->aux;
    const uint32_t       filters = w->shape[1];
    return HAS(SHOAL_QUANTIZED, SVDF) && y->shape[0] == 1 && y->shape[1] == 1 && filters % y->shape[2] == 0 &&
           w->space == CONSTANTS && has_shape(w, 1, filters, size_of(p->in)) && times->space == CONSTANTS &&
           has_shape(times, 1, filters, times->shape[2]) && is_memory(p->in2, 1, filters, times->shape[2]) &&
           aux->space == CONSTANTS && has_shape(aux, 1, 1, 4 + y->shape[2]) &&
           are_scales_sound(net, aux, 0, 4);
}

static bool is_code(int32_t value, uint8_t type) { return value >= least_of(type) && value <= largest_of(type); }

/* From integers to integers: the zero point of either type, around a scale. */
static bool are_codes_sound(const struct shoal *net, const struct parts *p)
{
    const struct tensor *aux = p->aux;
    return aux->space == CONSTANTS && has_shape(aux, 1, 1, 4) && is_code(number_at(net, aux, 0), p->in->type) &&
           are_scales_sound(net, aux, 1, 3) &&
           (p->out->type == I32 ? number_at(net, aux, 3) == 0 : is_code(number_at(net, aux, 3), p->out->type));
}

/* What is not compiled in is not checked either, but refused. */
#define USES(code) \
    (HAS(SHOAL_OPERATIONS, code) || HAS(SHOAL_BACKWARD, code) || HAS(SHOAL_QUANTIZED, code))

/* The shapes of code `code` from x to y: forward, x is read and y written; backward, the
 * gradient goes from y to x. */
static bool fits(const struct shoal *net, uint8_t code, const struct operation *op, const struct parts *p,
                 const struct tensor *x, const struct tensor *y)
{
    const struct tensor *w = p->weights;
    switch (code) {
    case PAD:
        return USES(PAD) && !x->grows && !y->grows && is_padding_sound(op, x, y);
    case RESIZE_NEAREST:
        return USES(RESIZE_NEAREST) && !x->grows && !y->grows && x->shape[2] == y->shape[2] &&
               op->groups <= HALF_PIXEL_CENTERS;
    case REQUANTIZE:
        return USES(REQUANTIZE) && !x->grows && same_shape(x, y) && are_codes_sound(net, p);
    case LSTM:
        return USES(LSTM) && !x->grows && !y->grows && is_lstm_sound(p, 0);
    case QUANTIZE:
    case DEQUANTIZE:
        return (USES(QUANTIZE) || USES(DEQUANTIZE)) && !x->grows && same_shape(x, y) && op->value[0] > 0.0f;
    case DENSE:
        return USES(DENSE) && !x->grows && y->shape[0] == 1 && y->shape[1] == 1 &&
               has_shape(w, 1, size_of(x), y->shape[2]) && is_bias_sound(p->bias, y->shape[2]);
    case CONV2D:
        return USES(CONV2D) && !x->grows && !y->grows && is_window_sound(op, x, y) &&
               has_shape(w, (uint32_t)op->kernel[0] * op->kernel[1], x->shape[2], y->shape[2]) &&
               is_bias_sound(p->bias, y->shape[2]);
    case DEPTHWISE_CONV2D:
        return USES(DEPTHWISE_CONV2D) && !x->grows && !y->grows && is_window_sound(op, x, y) &&
               y->shape[2] % x->shape[2] == 0 &&
               has_shape(w, 1, (uint32_t)op->kernel[0] * op->kernel[1], y->shape[2]) &&
               is_bias_sound(p->bias, y->shape[2]);
    case MAX_POOL2D:
    case AVERAGE_POOL2D:
        return (USES(MAX_POOL2D) || USES(AVERAGE_POOL2D)) && !x->grows && !y->grows &&
               is_window_sound(op, x, y) && x->shape[2] == y->shape[2];
    case GROUP_NORM:
        return USES(GROUP_NORM) && !x->grows && same_shape(x, y) && op->groups > 0 &&
               x->shape[2] % op->groups == 0 &&
               has_shape(w, 1, 1, x->shape[2]) && has_shape(p->bias, 1, 1, x->shape[2]) &&
               has_shape(p->aux, 1, 1, 2u * op->groups) && p->aux->space == ARENA;
    case STANDARDIZE:
        return USES(STANDARDIZE) && !x->grows && same_shape(x, y) && p->aux->space == STATE &&
               has_shape(p->aux, 1, 1, 2 * size_of(x) + 1);
    default: /* element by element */
        return same_shape(x, y);
    }
}

static bool fits_quantized(const struct shoal *net, uint8_t code, const struct operation *op,
                           const struct parts *p)
{
    const struct tensor *x = p->in, *y = p->out, *w = p->weights, *aux = p->aux;
    const uint32_t       area = (uint32_t)op->kernel[0] * op->kernel[1], channels = y->shape[2];
    switch (code) {
    case DENSE:
        return y->shape[0] == 1 && y->shape[1] == 1 && has_shape(w, 1, channels, size_of(x)) &&
               is_bias_sound(p->bias, channels) && are_numbers_sound(net, p, channels);
    case CONV2D:
        return is_window_sound(op, x, y) && has_shape(w, channels, area, x->shape[2]) &&
               is_bias_sound(p->bias, channels) && are_numbers_sound(net, p, channels);
    case DEPTHWISE_CONV2D:
        return is_window_sound(op, x, y) && channels % x->shape[2] == 0 && has_shape(w, 1, area, channels) &&
               is_bias_sound(p->bias, channels) && are_numbers_sound(net, p, channels);
    case MAX_POOL2D:
    case AVERAGE_POOL2D:
        return is_window_sound(op, x, y) && x->shape[2] == channels && are_numbers_sound(net, p, 0);
    case ADD:
        return same_shape(x, y) && are_numbers_sound(net, p, 3);
    case SOFTMAX:
        return same_shape(x, y) && has_shape(aux, 1, 1, 3) && aux->space == CONSTANTS &&
               are_scales_sound(net, aux, 0, 2) && number_at(net, aux, 2) <= 0;
    case LOOKUP:
        return same_shape(x, y) && has_shape(aux, 1, 1, 256) && aux->space == CONSTANTS;
    case MEAN:
        return has_shape(y, 1, 1, x->shape[2]) && are_numbers_sound(net, p, 1);
    case PAD:
    case RESIZE_NEAREST:
        return fits(net, code, op, p, x, y);
    case SVDF:
        return is_svdf_sound(net, p);
    case LSTM:
        return is_quantized_lstm_sound(net, p);
    default:
        return false;
    }
}

/* On int16. The shifts of sums must lie in range, and so few terms be added that they cannot overflow. */
static bool fits_fixed(uint8_t code, const struct parts *p)
{
    const struct tensor *x = p->in, *y = p->out, *w = p->weights;
    switch (code) {
    case DENSE:
        return y->shape[0] == 1 && y->shape[1] == 1 && size_of(x) <= MOST_TERMS &&
               has_shape(w, 1, size_of(x), y->shape[2]) && is_bias_sound(p->bias, y->shape[2]) &&
               growth(size_of(x)) + y->zero_point < (uint32_t)x->zero_point + UPPER_BITS;
    case RELU:
        return same_shape(x, y) && x->zero_point == y->zero_point;
    case SOFTMAX:
        return same_shape(x, y) && y->zero_point == PROBABILITY_BITS && size_of(x) <= MOST_TERMS;
    default:
        return false;
    }
}

static bool is_gradient(const struct tensor *t)
{
    return !present(t) || (t->space == ARENA && t->zero_point == GRADIENT_BITS);
}

static bool fits_fixed_backward(uint8_t code, const struct operation *op, const struct parts *p)
{
    const struct tensor *x = p->in, *dy = p->in2, *dx = p->out, *w = p->weights;
    if (x->space != ARENA || !is_gradient(dy) || !is_gradient(dx)) return false;
    if (present(dx) && !(same_shape(dx, x) && apart(dx, x))) return false;
    switch (code) {
    case DENSE:
        return dy->shape[0] == 1 && dy->shape[1] == 1 && size_of(x) <= MOST_TERMS &&
               has_shape(w, 1, size_of(x), dy->shape[2]) && is_bias_sound(p->bias, dy->shape[2]) &&
               growth(dy->shape[2]) < UPPER_BITS && apart(dx, dy);
    case RELU:
        return op->flags == 0 && present(dx) && same_shape(x, dy) && (apart(dx, dy) || same_place(dx, dy));
    default:
        return false;
    }
}

static bool has_type(const struct tensor *t, uint8_t type) { return !present(t) || t->type == type; }

/* All values of one operation are float; those of a quantized one int8, uint8 or int16, its numbers int32. */
static bool are_types_sound(const struct operation *op, const struct parts *p)
{
    const uint8_t code = op->code, type = p->in->type;
    if (!HAS_INTEGERS) return code < QUANTIZED;
    if (type == I16 && code != REQUANTIZE)
        return HAS_FIXED && code >= QUANTIZED && has_type(p->in2, I16) && has_type(p->out, I16) &&
               has_type(p->weights, I32) && has_type(p->bias, I32) && !present(p->aux);
    if (code == REQUANTIZE)
        return SHOAL_WIDTH == 1 && (bytes_in(type) == 1 || type == I16) && p->out->type != F32 && has_type(p->aux, I32);
    if (code == QUANTIZE) return p->in->type == F32 && bytes_in(p->out->type) == 1;
    if (code == DEQUANTIZE) return p->out->type == F32 && bytes_in(p->in->type) == 1;
    if (code >= QUANTIZED + BACKWARD)
        return bytes_in(present(p->in) ? type : I8) == 1 && has_type(p->in2, F32) &&
               has_type(p->out, F32) && has_type(p->weights, I8) && has_type(p->bias, I32) &&
               has_type(p->aux, code == QUANTIZED + BACKWARD + CLAMP        ? I32
                                 : code == QUANTIZED + BACKWARD + MAX_POOL2D ? type
                                                                             : F32);
    if (code < QUANTIZED)
        return has_type(p->in, F32) && has_type(p->in2, F32) && has_type(p->out, F32) &&
               has_type(p->weights, F32) && has_type(p->bias, F32) && has_type(p->aux, F32);
    if (bytes_in(type) != 1) return false;
    switch (code - QUANTIZED) {
    case LOOKUP:
        return bytes_in(p->out->type) == 1 && has_type(p->aux, p->out->type);
    case SVDF:
        return type == I8 && p->out->type == I8 && p->weights->type == I8 &&
               p->bias->type == p->in2->type && (p->bias->type == I8 || p->bias->type == I16) &&
               has_type(p->aux, I32);
    case LSTM:
        return type == I8 && p->in2->type == I8 && p->out->type == I8 &&
               p->weights->type == I8 && p->bias->type == I16 && has_type(p->aux, I32);
    case SOFTMAX:
        return (p->out->type == type || (type == I8 && is_int16(p->out->type))) && has_type(p->aux, I32);
    default:
        return has_type(p->in2, type) && has_type(p->out, type) && has_type(p->weights, type) &&
               has_type(p->bias, I32) && has_type(p->aux, I32);
    }
}

/* From y's gradient in2 (f32) to x's; x and y are integers. */
static bool fits_quantized_backward(uint8_t code, const struct operation *op, const struct parts *p)
{
    const struct tensor *x = p->in, *dy = p->in2, *dx = p->out, *w = p->weights, *aux = p->aux;
    const uint32_t       area = (uint32_t)op->kernel[0] * op->kernel[1], channels = dy->shape[2];
    const bool           scaled = has_shape(aux, 1, 1, channels) && aux->space == CONSTANTS && present(x) &&
                        x->space == ARENA && x->type == I8 && is_bias_sound(p->bias, channels) &&
                        (!present(dx) || (same_shape(dx, x) && apart(dx, x) && apart(dx, dy)));
    if (dy->space != ARENA) return false;
    switch (code) {
    case DENSE:
        return scaled && dy->shape[0] == 1 && dy->shape[1] == 1 && has_shape(w, 1, channels, size_of(x));
    case CONV2D:
        return scaled && is_window_sound(op, x, dy) && has_shape(w, channels, area, x->shape[2]);
    case DEPTHWISE_CONV2D:
        return scaled && is_window_sound(op, x, dy) && channels % x->shape[2] == 0 &&
               has_shape(w, 1, area, channels);
    case MAX_POOL2D:
        return op->flags == 0 && present(x) && x->space == ARENA && present(dx) && same_shape(dx, x) &&
               apart(dx, x) && apart(dx, dy) && apart(dx, aux) && is_window_sound(op, x, dy) &&
               x->shape[2] == channels && aux->space == ARENA && same_shape(aux, dy);
    case AVERAGE_POOL2D:
        return op->flags == 0 && present(dx) && apart(dx, dy) && is_window_sound(op, dx, dy) &&
               dx->shape[2] == channels;
    case CLAMP:
        return op->flags == 0 && present(x) && x->space == ARENA && present(dx) && same_shape(x, dy) &&
               same_shape(dx, dy) && apart(dx, x) && (apart(dx, dy) || same_place(dx, dy)) &&
               has_shape(aux, 1, 1, 2) && aux->space == CONSTANTS;
    default:
        return false;
    }
}

static bool is_forward_sound(const struct shoal *net, const struct operation *op, const struct parts *p)
{
    const uint8_t code = op->code & (uint8_t)~QUANTIZED;
    if (code < DENSE || code > LSTM || code == CLAMP || op->flags != 0) return false;
    if (!present(p->in) || !present(p->out) || p->in->space != ARENA) return false;
    const bool in_place =
        (code >= ADD && code <= STANDARDIZE && code != GROUP_NORM) || op->code == QUANTIZED + LOOKUP;
    if (!apart(p->out, p->in) && !(in_place && same_place(p->out, p->in))) return false;
    if (USES(ADD) && code == ADD &&
        !(present(p->in2) && p->in2->space == ARENA && same_shape(p->in, p->in2) &&
          apart(p->out, p->in2)))
        return false;
    if (op->code >= QUANTIZED)
        return HAS_QUANTIZED && HAS_NOW(SHOAL_QUANTIZED, code) &&
               (is_fixed(p->in->type) ? fits_fixed(code, p) : SHOAL_BYTES && fits_quantized(net, code, op, p));
    return code != LOOKUP && code != MEAN && code != SVDF && HAS_NOW(SHOAL_OPERATIONS, code) &&
           fits(net, code, op, p, p->in, p->out);
}

static bool is_fixed_loss_sound(uint8_t code, const struct parts *p)
{
    return p->in->type == I16 && p->out->zero_point == GRADIENT_BITS &&
           (code == CROSS_ENTROPY ? p->in->zero_point == PROBABILITY_BITS
                                  : code == MSE && p->in->zero_point <= GRADIENT_BITS + 1);
}

static bool is_loss_sound(const struct operation *op, const struct parts *p, uint32_t outputs)
{
    const uint8_t code = op->code & (uint8_t)~QUANTIZED;
    const bool    known = op->code == code
                              ? code >= MSE && code <= CROSS_ENTROPY && HAS_NOW((SHOAL_OPERATIONS) >> 32, code)
                              : HAS_NOW((SHOAL_QUANTIZED) >> 32, code) && is_fixed_loss_sound(code, p);
    return known && op->flags == 0 && present(p->in) && present(p->out) && p->in->space == ARENA &&
           size_of(p->in) == outputs && same_shape(p->in, p->out) &&
           (apart(p->out, p->in) || same_place(p->out, p->in));
}

static bool is_backward_sound(const struct shoal *net, const struct operation *op, const struct parts *p)
{
    if (op->code == ADD) /* two gradients of one value */
        return HAS(SHOAL_BACKWARD, ADD) && is_forward_sound(net, op, p);
    if (op->code >= QUANTIZED + BACKWARD) {
        const uint8_t base = (uint8_t)(op->code - QUANTIZED - BACKWARD);
        return SHOAL_WIDTH == 1 && HAS_QUANTIZED_BACKWARD && HAS_NOW(SHOAL_QUANTIZED_BACKWARD, base) &&
               present(p->in2) && op->flags <= (UPDATE_WEIGHTS | UPDATE_BIAS) &&
               (is_fixed(p->in->type) ? fits_fixed_backward(base, op, p)
                                      : SHOAL_BYTES && fits_quantized_backward(base, op, p));
    }
    if (op->code <= BACKWARD || op->code >= QUANTIZED) return false;
    const uint8_t code = (uint8_t)(op->code - BACKWARD);
    if (code > STANDARDIZE || code == ADD || !HAS_NOW(SHOAL_BACKWARD, code) ||
        op->flags > (UPDATE_WEIGHTS | UPDATE_BIAS))
        return false;
    const bool elementwise = code >= RELU && code != GROUP_NORM;
    const struct tensor *dy = p->in2, *dx = p->out, *x = p->in;
    if (!present(dy) || dy->space != ARENA) return false;
    if (HAS(SHOAL_BACKWARD, STANDARDIZE) && code == STANDARDIZE) {
        x = dy;
    } else if (!present(x) || x->space != ARENA || !apart(dx, x)) {
        return false;
    }
    if (present(dx) && !same_shape(dx, x)) return false;
    if (!apart(dx, dy) && !(elementwise && same_place(dx, dy))) return false;
    if (HAS(SHOAL_BACKWARD, MAX_POOL2D) && code == MAX_POOL2D &&
        !(p->aux->space == ARENA && same_shape(p->aux, dy) && apart(dx, p->aux)))
        return false;
    const bool learns = code <= DEPTHWISE_CONV2D || code == GROUP_NORM;
    if (!learns && !present(dx)) return false;
    return (learns || op->flags == 0) && fits(net, code, op, p, x, dy);
}

/* Parameters that learn are parameters of the state, apart from each other; statistics are not. Integers
 * lie at the state's end, and nothing else does. */
static bool learns(const struct shoal *net, const struct tensor *t)
{
    return present(t) && t->space == STATE && (t->type != F32 || end_of(t) <= net->header.parameters);
}

static bool is_update_sound(const struct shoal *net, const struct operation *op, const struct parts *p)
{
    const struct header *h = &net->header;
    if ((op->flags & UPDATE_WEIGHTS) && !learns(net, p->weights)) return false;
    if ((op->flags & UPDATE_BIAS) && !learns(net, p->bias)) return false;
    if (!apart(p->weights, p->bias)) return false;
    return USES(STANDARDIZE) && op->code % BACKWARD == STANDARDIZE
               ? p->aux->offset >= net->state_count - h->quantized - h->statistics
               : apart(p->aux, p->out) && apart(p->aux, p->in);
}

/* Each run serves one operation, in order, which keeps the work linear in the image's size. */
static bool are_runs_sound(const struct shoal *net, const struct operation *op, const struct parts *p,
                           uint32_t *next)
{
    uint32_t end = 0;
    if (op->runs == 0) return true;
    if (op->runs_first != *next || op->runs > net->header.runs - *next || op->flags == 0) return false;
    *next += op->runs;
    for (size_t i = 0; i < op->runs; i++) {
        const struct run run = net->runs[op->runs_first + i];
        if (run.count == 0 || run.first < end) return false;
        end = (uint32_t)run.first + run.count;
    }
    return end <= p->in2->shape[2];
}

/* --- The image ---------------------------------------------------------------------------- */

static bool is_tensor_sound(const struct shoal *net, const struct tensor *t, uint32_t outputs)
{
    const uint64_t state = net->state_count - (t->type == F32 ? net->header.quantized : 0);
    const uint64_t spaces[4] = {net->header.arena, state, net->header.constants, net->header.stream};
    for (size_t i = 0; i < 3; i++)
        if (t->shape[i] == 0 || t->shape[i] > LARGEST) return false;
    const uint64_t area = (uint64_t)t->shape[0] * t->shape[1]; /* at most 2^56 */
    if (area > LARGEST || area * t->shape[2] > LARGEST) return false;
    if (t->space > STREAM || t->grows > 1 || t->type > LAST_TYPE) return false;
    if (t->grows && !(t->type == F32 && has_shape(t, 1, 1, outputs))) return false;
    if (bytes_in(t->type) == 4 && t->zero_point != 0) return false;
    if (t->type == I16 && (t->zero_point > (t->space == ARENA ? 15 : 0) || t->space == STATE || !HAS_INT16))
        return false;
    if (t->type == U8 && !SHOAL_UINT8) return false;
    if (t->type != F32 && t->space == STATE && t->offset < net->state_count - net->header.quantized) return false;
    return (uint64_t)t->offset + words_of(t) <= spaces[t->space];
}

static bool is_parameter(const struct tensor *t)
{
    return !present(t) || t->space == STATE || t->space == CONSTANTS;
}

static bool is_operation_sound(const struct shoal *net, uint32_t number, uint32_t outputs,
                               uint32_t *runs)
{
    static const struct tensor nothing = {0, {0, 0, 0}, 0, 0, 0, 0}; /* where an operation has none */
    const struct operation    *op = net->operations + number;
    const uint16_t             numbers[6] = {op->in, op->in2, op->out, op->weights, op->bias, op->aux};
    const struct tensor       *at[6];
    for (size_t i = 0; i < 6; i++) {
        const uint16_t part = numbers[i];
        if (part != NONE && part >= net->header.tensors) return false;
        at[i] = part == NONE ? &nothing : net->tensors + part;
    }
    const struct parts p = {at[0], at[1], at[2], at[3], at[4], at[5]};
    if (present(p.out) && p.out->space != ARENA) return false;
    const bool remembers = USES(LSTM) && op->code % QUANTIZED == LSTM && p.bias->space == STREAM;
    if (!is_parameter(p.weights) || !(is_parameter(p.bias) || remembers)) return false;
    if (!is_finite(op->value[0]) || !is_finite(op->value[1]) || !are_types_sound(op, &p)) return false;
    if (!is_update_sound(net, op, &p) || !are_runs_sound(net, op, &p, runs)) return false;
    if (number < net->header.forward) return is_forward_sound(net, op, &p);
    if (number == net->header.forward) return is_loss_sound(op, &p, outputs);
    return is_backward_sound(net, op, &p);
}

static enum shoal_status check_header(struct header *h, const uint8_t *image, size_t image_size)
{
    if ((uintptr_t)image % 4 != 0) return SHOAL_ERROR_ALIGNMENT;
    if (image_size < sizeof *h) return SHOAL_ERROR_IMAGE;
    memcpy(h, image, sizeof *h);
    if (h->magic == 0x53484F4Cu) return SHOAL_ERROR_VERSION; /* the other byte order */
    if (h->magic != MAGIC) return SHOAL_ERROR_IMAGE;
    if (h->version != VERSION) return SHOAL_ERROR_VERSION;
    if (h->size != image_size) return SHOAL_ERROR_IMAGE;
    if (h->checksum != shoal_crc32(image + 16, image_size - 16)) return SHOAL_ERROR_CHECKSUM;
    if (h->flags > (ACCUMULATE | ANCHOR) || h->optimizer > ADAM || !HAS_NOW(SHOAL_OPTIMIZERS, h->optimizer) ||
        ((h->flags & ACCUMULATE) && !HAS_ACCUMULATION) || h->reserved != 0 ||
        h->stream > (HAS_STREAM ? LARGEST : 0))
        return SHOAL_ERROR_IMAGE;
    if (h->parameters > LARGEST || h->statistics > LARGEST || h->arena > LARGEST ||
        h->constants > LARGEST || h->quantized > LARGEST || h->tensors >= NONE || h->runs >= NONE)
        return SHOAL_ERROR_IMAGE;
    if ((h->learning == 0) != (h->optimizer == NO_OPTIMIZER)) return SHOAL_ERROR_IMAGE;
    /* Integers learn by plain descent, one device at a time. */
    if (h->quantized > 0 && (SHOAL_WIDTH > 1 || h->optimizer != SGD || h->flags != 0)) return SHOAL_ERROR_IMAGE;
    if ((h->learning == 0 && h->flags != 0) || h->flags == ANCHOR) return SHOAL_ERROR_IMAGE;
    const uint64_t size = sizeof *h + sizeof(struct tensor) * (uint64_t)h->tensors +
                          sizeof(struct operation) * ((uint64_t)h->forward + h->learning) +
                          sizeof(struct run) * (uint64_t)h->runs +
                          4 * ((uint64_t)h->constants + h->parameters + h->quantized);
    return size == image_size ? SHOAL_OK : SHOAL_ERROR_IMAGE;
}

static uint32_t slots(const struct header *h)
{
    const uint32_t moments = h->optimizer == ADAM ? 2 : h->optimizer == MOMENTUM ? 1 : 0;
    return moments + (h->flags & ACCUMULATE ? 1 : 0) + (h->flags & ANCHOR ? 1 : 0);
}

static uint64_t rounded_up(uint64_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

SHOAL_COLD enum shoal_status SHOAL_NAME(check_image)(struct shoal *net, size_t *memory_size,
                                                     const void *image, size_t image_size)
{
    struct header *h = &net->header;
    memset(net, 0, sizeof *net);
    const enum shoal_status status = check_header(h, image, image_size);
    if (status != SHOAL_OK) return status;

    const uint32_t operations = h->forward + h->learning; /* no overflow: each has 36 bytes here */
    net->tensors = (const void *)((const uint8_t *)image + sizeof *h);
    net->operations = (const void *)(net->tensors + h->tensors);
    net->runs = (const void *)(net->operations + operations);
    net->constants = (const void *)(net->runs + h->runs);

    const uint64_t state = (uint64_t)h->parameters * (1 + slots(h)) + h->statistics + h->quantized;
    const uint64_t bytes = rounded_up(sizeof *net) + sizeof(real) * (state + h->arena + h->stream);
    if (state > UINT32_MAX || bytes > SIZE_MAX / 2) return SHOAL_ERROR_IMAGE;
    net->state_count = (uint32_t)state;
    *memory_size = (size_t)bytes;

    if (h->input >= h->tensors || h->output >= h->tensors) return SHOAL_ERROR_TENSOR;
    const struct tensor *const input = net->tensors + h->input, *const output = net->tensors + h->output;
    for (uint32_t i = 0; i < h->tensors; i++)
        if (!is_tensor_sound(net, net->tensors + i, output->grows ? output->shape[2] : 0)) return SHOAL_ERROR_TENSOR;
    if (input->space != ARENA || input->grows || output->space != ARENA) return SHOAL_ERROR_TENSOR;
    if (output->grows ? h->active == 0 || h->active > output->shape[2] : h->active != output->shape[2])
        return SHOAL_ERROR_TENSOR;
    net->inputs = size_of(input);
    net->outputs = size_of(output);

    uint32_t runs = 0;
    for (uint32_t i = 0; i < operations; i++) {
        const struct operation *const op = net->operations + i;
        if (!is_operation_sound(net, i, net->outputs, &runs)) return SHOAL_ERROR_OPERATION;
        if (i == h->forward) net->targets = takes_class(op->code) ? 1 : net->outputs;
        if (op->layer >= net->layers) net->layers = (uint32_t)op->layer + 1;
    }
    net->active = output->grows ? h->active : net->outputs;
    net->learning = h->learning;
    return SHOAL_OK;
}

SHOAL_COLD enum shoal_status SHOAL_NAME(memory_needed)(size_t *memory_size, const void *image, size_t image_size)
{
    struct shoal net;
    *memory_size = 0;
    size_t size = 0;
    const enum shoal_status status = SHOAL_NAME(check_image)(&net, &size, image, image_size);
    if (status == SHOAL_OK) *memory_size = size;
    return status;
}

SHOAL_COLD enum shoal_status SHOAL_NAME(open)(struct shoal **net, const void *image, size_t image_size,
                                              void *memory, size_t memory_size)
{
    struct shoal checked;
    size_t       needed;
    *net = NULL;
    const enum shoal_status status = SHOAL_NAME(check_image)(&checked, &needed, image, image_size);
    if (status != SHOAL_OK) return status;
    if ((uintptr_t)memory % ALIGNMENT != 0) return SHOAL_ERROR_ALIGNMENT;
    if (memory_size < needed) return SHOAL_ERROR_MEMORY;

    const struct shoal_optimizer defaults = {0.01f, 0.9f, 0.9f, 0.999f, 1e-7f, 0.0f};
    const float                 *initial = checked.constants + checked.header.constants;
    memset(memory, 0, needed);
    checked.state = (real *)(void *)((uint8_t *)memory + rounded_up(sizeof checked));
    checked.arena = checked.state + checked.state_count;
    checked.optimizer = defaults;
    checked.beta1_power = checked.beta2_power = 1.0f;
    for (size_t i = 0; i < checked.header.parameters; i++) checked.state[i] = splat(initial[i]);
    memcpy(checked.state + (checked.state_count - checked.header.quantized),
           initial + checked.header.parameters, sizeof(float) * checked.header.quantized);
    if (checked.header.flags & ANCHOR) SHOAL_NAME(drop_anchor)(&checked);
    memcpy(memory, &checked, sizeof checked);
    *net = memory;
#if SHOAL_WIDTH == 1
    shoal_reset(*net);
#endif
    return SHOAL_OK;
}
