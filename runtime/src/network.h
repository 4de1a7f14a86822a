/* What the files of the runtime share: the records of an image, the open network, and the
 * entry points of each operation. Nothing here is for a firmware's eyes. */
#ifndef SHOAL_NETWORK_H
#define SHOAL_NETWORK_H

#include "real.h"
#include "shoal.h"

#define NONE 0xFFFFu /* no tensor */

enum space { ARENA, STATE, CONSTANTS };
enum header_flag { ACCUMULATE = 1, ANCHOR = 2 };
enum optimizer { NO_OPTIMIZER, SGD, MOMENTUM, ADAM };
enum update { UPDATE_WEIGHTS = 1, UPDATE_BIAS = 2 };

enum code {
    DENSE = 1, CONV2D, DEPTHWISE_CONV2D, MAX_POOL2D, AVERAGE_POOL2D, ADD,
    RELU, RELU6, LEAKY_RELU, TANH, SIGMOID, SOFTMAX, GROUP_NORM, STANDARDIZE,
    MSE = 32, BINARY_CROSS_ENTROPY, CROSS_ENTROPY,
    BACKWARD = 64 /* added to the code of a forward operation */
};

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
    uint32_t reserved2[2];
};

struct tensor {
    uint32_t offset;
    uint32_t shape[3];
    uint8_t  space, grows;
    uint16_t reserved;
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

SHOAL_INLINE size_t tensor_size(const struct tensor *t)
{
    return (size_t)t->shape[0] * t->shape[1] * t->shape[2];
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

uint32_t shoal_crc32(const void *bytes, size_t size);

#if SHOAL_WIDTH > 1
enum shoal_status SHOAL_NAME(memory_needed)(size_t *memory_size, const void *image, size_t image_size);
enum shoal_status SHOAL_NAME(open)(struct shoal **net, const void *image, size_t image_size,
                                   void *memory, size_t memory_size);
#endif

#endif
