/* What the files of the runtime share: the records of an image, the open network, and the
 * entry points of each operation. Nothing here is for a firmware's eyes. */
#ifndef SHOAL_NETWORK_H
#define SHOAL_NETWORK_H

#include "real.h"
#include "shoal.h"

#define NONE 0xFFFFu /* no tensor */

enum space { ARENA, STATE, CONSTANTS, STREAM };
enum type { F32, I8, U8, I32, I16 };
enum header_flag { ACCUMULATE = 1, ANCHOR = 2 };
enum optimizer { NO_OPTIMIZER, SGD, MOMENTUM, ADAM };
enum update { UPDATE_WEIGHTS = 1, UPDATE_BIAS = 2 };

enum code {
    DENSE = 1, CONV2D, DEPTHWISE_CONV2D, MAX_POOL2D, AVERAGE_POOL2D, ADD,
    RELU, RELU6, LEAKY_RELU, TANH, SIGMOID, SOFTMAX, GROUP_NORM, STANDARDIZE,
    PAD, RESIZE_NEAREST, QUANTIZE, DEQUANTIZE, LOOKUP, MEAN, CLAMP, REQUANTIZE, SVDF, LSTM,
    MSE = 32, BINARY_CROSS_ENTROPY, CROSS_ENTROPY,
    BACKWARD = 64,  /* added to the code of a forward operation */
    QUANTIZED = 128 /* added where the values are int8, uint8 or int16 */
};

/* The operations that are compiled in, a bit for each code; all, unless a firmware for one image
 * says in its shoal_config.h which ones that image uses. */
#ifdef __has_include
#if __has_include("shoal_config.h")
#include "shoal_config.h"
#endif
#endif
#ifndef SHOAL_OPERATIONS
#define SHOAL_OPERATIONS           UINT64_MAX /* forward and losses */
#define SHOAL_BACKWARD             UINT64_MAX
#define SHOAL_QUANTIZED            UINT64_MAX
#define SHOAL_QUANTIZED_BACKWARD   UINT64_MAX
#define SHOAL_OPTIMIZERS           UINT64_MAX /* of enum optimizer; bit 32: accumulation */
#define SHOAL_FIXED                1          /* int16 values */
#endif
#ifndef SHOAL_FIXED
#define SHOAL_FIXED 0
#endif
#ifndef SHOAL_BYTES
#define SHOAL_BYTES 1 /* operations on int8 and uint8 values */
#endif
#ifndef SHOAL_UINT8
#define SHOAL_UINT8 1 /* uint8 values */
#endif
#ifndef SHOAL_INT16
#define SHOAL_INT16 1 /* int16 values, in fixed point or not */
#endif
#define HAS(set, code) (((uint64_t)(set) >> (code) & 1u) != 0)
/* The same of a number that is no constant, below 32: a shift of 64 bits is long on a small core. */
#define HAS_NOW(set, code) (((uint32_t)(set) >> ((code) & 31) & 1u) != 0)
#define HAS_ACCUMULATION HAS(SHOAL_OPTIMIZERS, 32)
#define HAS_INTEGERS \
    (HAS_QUANTIZED || HAS_QUANTIZED_BACKWARD || HAS(SHOAL_OPERATIONS, QUANTIZE) || \
     HAS(SHOAL_OPERATIONS, DEQUANTIZE) || HAS(SHOAL_OPERATIONS, REQUANTIZE))
#define HAS_FIXED (SHOAL_WIDTH == 1 && SHOAL_FIXED)
#define HAS_INT16 (SHOAL_WIDTH == 1 && SHOAL_INT16)
#define HAS_SVDF (SHOAL_WIDTH == 1 && HAS(SHOAL_QUANTIZED, SVDF))
#define HAS_LSTM (SHOAL_WIDTH == 1 && HAS(SHOAL_OPERATIONS, LSTM))
#define HAS_QUANTIZED_LSTM (SHOAL_WIDTH == 1 && HAS(SHOAL_QUANTIZED, LSTM))
#define HAS_STREAM (HAS_SVDF || HAS_LSTM || HAS_QUANTIZED_LSTM)
#define HAS_QUANTIZED ((SHOAL_QUANTIZED) != 0)
#define HAS_QUANTIZED_BACKWARD ((SHOAL_QUANTIZED_BACKWARD) != 0)

/* The records of IMAGE.md, byte for byte. The image and each section of it are aligned to 4. */
struct header {
    uint32_t magic;
    uint16_t version, flags;
    uint32_t size, checksum;
    uint32_t tensors, forward, learning, runs;
    uint32_t parameters, statistics, arena, constants;
    uint16_t input, output;
    uint8_t  optimizer, reserved;
    uint16_t active;
    uint32_t quantized, stream;
};

struct tensor {
    uint32_t offset;
    uint32_t shape[3];
    uint8_t  space, grows, type, zero_point; /* zero_point: of bytes in their own type; I16: fraction bits */
};

struct operation {
    uint8_t  code, flags, layer, groups;
    uint16_t in, in2, out, weights, bias, aux;
    uint8_t  kernel[2], stride[2], padding[4];
    uint16_t runs_first, runs;
    float    value[2];
};

struct run { uint16_t first, count; };

typedef char header_is_64_bytes[sizeof(struct header) == 64 ? 1 : -1];
typedef char tensor_is_20_bytes[sizeof(struct tensor) == 20 ? 1 : -1];
typedef char operation_is_36_bytes[sizeof(struct operation) == 36 ? 1 : -1];

struct shoal {
    struct header          header;
    const struct tensor    *tensors; /* these four in the image */
    const struct operation *operations;
    const struct run       *runs;
    const float            *constants;
    real                  *state, *arena;
    struct shoal_optimizer optimizer;
    float                  beta1_power, beta2_power; /* beta^steps */
    uint32_t               state_count, inputs, outputs, targets, layers;
    uint32_t               active;   /* outputs in use */
    uint32_t               steps;    /* updates taken */
    uint32_t               pending;  /* gradients added since the last update */
    uint32_t               learning; /* operations of the learning part that are needed */
    uint8_t                frozen[32]; /* a bit for each layer */
};

SHOAL_INLINE struct tensor tensor_at(const struct shoal *net, uint16_t number)
{
    return net->tensors[number];
}

SHOAL_INLINE struct operation operation_at(const struct shoal *net, uint32_t number)
{
    return net->operations[number];
}

/* Whether the target of a loss is the number of a class. */
SHOAL_INLINE bool takes_class(uint8_t code) { return (code & ~QUANTIZED) == CROSS_ENTROPY; }

SHOAL_INLINE size_t tensor_size(const struct tensor *t)
{
    return (size_t)t->shape[0] * t->shape[1] * t->shape[2];
}

SHOAL_INLINE size_t bytes_in(uint8_t type)
{
    return !HAS_INTEGERS ? 4 : type == I8 || type == U8 ? 1 : type == I16 ? 2 : 4;
}

SHOAL_INLINE bool is_int16(uint8_t type) { return HAS_INT16 && type == I16; }

/* Whether operations on values of a type are those in fixed point. */
SHOAL_INLINE bool is_fixed(uint8_t type) { return HAS_FIXED && type == I16; }

/* Every tensor starts at a word of four bytes and takes whole ones. */
SHOAL_INLINE size_t words_of(const struct tensor *t)
{
    return (tensor_size(t) * bytes_in(t->type) + 3) / 4;
}

/* Channels that are computed: a tensor that grows has `active` of its capacity. */
SHOAL_INLINE size_t channels_of(const struct shoal *net, const struct tensor *t)
{
    return t->grows ? net->active : t->shape[2];
}

SHOAL_INLINE size_t elements_of(const struct shoal *net, const struct tensor *t)
{
    return t->grows ? net->active : tensor_size(t);
}

/* The values of a tensor in the arena or the state. */
SHOAL_INLINE real *values_of(const struct shoal *net, const struct tensor *t)
{
    return (t->space == ARENA ? net->arena : net->state) + t->offset;
}

/* What an operation remembers of earlier samples; behind the arena. */
SHOAL_INLINE void *remembered(const struct shoal *net, const struct tensor *t)
{
    return net->arena + net->header.arena + t->offset;
}

/* Quantized values lie lane after lane, so that each lane is computed as at width 1. */
SHOAL_INLINE uint8_t *bytes_of(const struct shoal *net, const struct tensor *t, size_t lane)
{
    return (uint8_t *)values_of(net, t) + 4 * words_of(t) * lane;
}

/* Quantized values and numbers that never change: the same for all lanes. */
SHOAL_INLINE const void *constants_of(const struct shoal *net, const struct tensor *t)
{
    return net->constants + t->offset;
}

/* Integers that an operation reads beside its values: in the image, or in the state where they learn. */
SHOAL_INLINE const void *integers_of(const struct shoal *net, const struct tensor *t)
{
    return t->space == CONSTANTS ? constants_of(net, t) : (const void *)bytes_of(net, t, 0);
}

/* Which of int8 and uint8 a type is. */
SHOAL_INLINE bool is_int8(uint8_t type) { return !SHOAL_UINT8 || type == I8; }

SHOAL_INLINE int32_t as_integer(uint8_t byte, uint8_t type)
{
    return is_int8(type) ? (int8_t)byte : (int32_t)byte;
}

SHOAL_INLINE int32_t zero_point_of(const struct tensor *t) { return as_integer(t->zero_point, t->type); }

/* Parameters lie in the state, a real each, or in the image, one float for all lanes. */
struct parameters {
    const void *at;
    bool        shared;
};

SHOAL_INLINE struct parameters parameters_of(const struct shoal *net, uint16_t number)
{
    struct parameters p = {NULL, false};
    if (number != NONE) {
        const struct tensor t = tensor_at(net, number);
        p.shared = t.space == CONSTANTS;
        p.at = p.shared ? (const void *)(net->constants + t.offset)
                        : (const void *)(net->state + t.offset);
    }
    return p;
}

SHOAL_INLINE real parameter(const void *at, bool shared, size_t i)
{
#if SHOAL_WIDTH > 1
    if (shared) return splat(((const float *)at)[i]);
#endif
    (void)shared;
    return ((const real *)at)[i];
}

/* Which parts of a backward operation's parameters learn now. */
SHOAL_INLINE bool updates(const struct shoal *net, const struct operation *op, enum update part)
{
    return (op->flags & part) != 0 && (net->frozen[op->layer >> 3] >> (op->layer & 7) & 1) == 0;
}

/* The channels from `first` up to `end`. */
struct channels { size_t first, end; };

/* Run number i of an operation, as far as `channels` are in use; without runs all are one. */
SHOAL_INLINE struct channels run_at(const struct shoal *net, const struct operation *op,
                                    size_t i, size_t channels)
{
    struct channels range = {0, channels};
    if (op->runs > 0) {
        const struct run run = net->runs[op->runs_first + i];
        range.first = run.first;
        if ((size_t)run.first + run.count < channels) range.end = (size_t)run.first + run.count;
    }
    return range; /* first may lie beyond end: nothing then */
}

SHOAL_INLINE size_t runs_of(const struct operation *op) { return op->runs > 0 ? op->runs : 1; }

/* Learns gradient g of the n parameters at w, as the image's optimizer says (optimizer.c). */
#define update_parameters SHOAL_NAME(update_parameters)
void update_parameters(struct shoal *net, real *w, const real *g, size_t n);

/* Learns the bias of an operation: its gradient is dy (positions, channels) summed over positions. */
#define update_bias SHOAL_NAME(update_bias)
void update_bias(struct shoal *net, const struct operation *op, const real *dy,
                 size_t positions, size_t channels);

/* One entry point for each operation and direction; the loader has checked everything. */
#define OPERATION(name)                                                                 \
    void SHOAL_NAME(name##_forward)(struct shoal *net, const struct operation *op);     \
    void SHOAL_NAME(name##_backward)(struct shoal *net, const struct operation *op);
OPERATION(dense)
OPERATION(conv2d)
OPERATION(depthwise_conv2d)
OPERATION(max_pool2d)
OPERATION(average_pool2d)
OPERATION(activation)
OPERATION(softmax)
OPERATION(group_norm)
OPERATION(standardize)
#undef OPERATION
void SHOAL_NAME(add_forward)(struct shoal *net, const struct operation *op);
void SHOAL_NAME(pad_forward)(struct shoal *net, const struct operation *op); /* these two: any type */
void SHOAL_NAME(resize_nearest_forward)(struct shoal *net, const struct operation *op);
void SHOAL_NAME(quantize_forward)(struct shoal *net, const struct operation *op);
void SHOAL_NAME(dequantize_forward)(struct shoal *net, const struct operation *op);

/* At width 1 alone: what holds int16 values, and what remembers. */
void shoal_requantize_forward(struct shoal *net, const struct operation *op);
void shoal_lstm_forward(struct shoal *net, const struct operation *op);
void shoal_quantized_svdf(struct shoal *net, const struct operation *op);
void shoal_quantized_lstm(struct shoal *net, const struct operation *op);

/* The same on int8 or uint8 values. */
#define QUANTIZED_OPERATION(name) \
    void SHOAL_NAME(quantized_##name)(struct shoal *net, const struct operation *op);
QUANTIZED_OPERATION(dense)
QUANTIZED_OPERATION(conv2d)
QUANTIZED_OPERATION(depthwise_conv2d)
QUANTIZED_OPERATION(max_pool2d)
QUANTIZED_OPERATION(average_pool2d)
QUANTIZED_OPERATION(add)
QUANTIZED_OPERATION(softmax)
QUANTIZED_OPERATION(lookup)
QUANTIZED_OPERATION(mean)
#undef QUANTIZED_OPERATION

/* On int16 values, with int16 gradients. At width 1 alone. */
#define FIXED_OPERATION(name) void shoal_fixed_##name(struct shoal *net, const struct operation *op);
FIXED_OPERATION(dense)
FIXED_OPERATION(dense_backward)
FIXED_OPERATION(relu)
FIXED_OPERATION(relu_backward)
FIXED_OPERATION(softmax)
#undef FIXED_OPERATION
float shoal_fixed_loss(struct shoal *net, const struct operation *op, const float *target, bool learn);

/* The way back through quantized operations; gradients are float. At width 1 alone. */
#define QUANTIZED_BACKWARD(name) void shoal_quantized_##name(struct shoal *net, const struct operation *op);
QUANTIZED_BACKWARD(dense_backward)
QUANTIZED_BACKWARD(conv2d_backward)
QUANTIZED_BACKWARD(depthwise_conv2d_backward)
QUANTIZED_BACKWARD(max_pool2d_backward)
QUANTIZED_BACKWARD(average_pool2d_backward)
QUANTIZED_BACKWARD(clamp_backward)
#undef QUANTIZED_BACKWARD
void SHOAL_NAME(standardize_observe)(struct shoal *net, const struct operation *op);

/* The loss of the answer in the arena for `target`, and the gradient to go back with. */
real SHOAL_NAME(loss)(struct shoal *net, const struct operation *op, const real *target, bool learn);

/* execute.c: without checks of the arguments. */
void SHOAL_NAME(run_forward)(struct shoal *net, bool observe);
real SHOAL_NAME(run_learning)(struct shoal *net, const real *target);
real SHOAL_NAME(run_loss)(struct shoal *net, const real *target);
void SHOAL_NAME(take_step)(struct shoal *net);
void SHOAL_NAME(prune)(struct shoal *net);
void SHOAL_NAME(drop_anchor)(struct shoal *net);

/* image.c: fills everything of net but its state and arena. */
enum shoal_status SHOAL_NAME(check_image)(struct shoal *net, size_t *memory_size,
                                          const void *image, size_t image_size);

/* CRC-32 as in IEEE 802.3; `onwards` goes on from the CRC of what came before, 0 for nothing. */
uint32_t shoal_crc32(const void *bytes, size_t size);
uint32_t shoal_crc32_onwards(uint32_t crc, const void *bytes, size_t size);

#if SHOAL_WIDTH > 1
enum shoal_status SHOAL_NAME(memory_needed)(size_t *memory_size, const void *image, size_t image_size);
enum shoal_status SHOAL_NAME(open)(struct shoal **net, const void *image, size_t image_size,
                                   void *memory, size_t memory_size);
#endif

#endif
