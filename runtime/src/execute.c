/* Obeys a checked image: one switch, operation after operation. */
#include "network.h"

#define ACTIVATIONS (UINT64_C(0x1F) << RELU) /* RELU to SIGMOID */

/* Runs an operation that is compiled in; what is not costs nothing. */
#define RUN(set, number, call) \
    if (HAS(set, number) && code == (number)) { SHOAL_NAME(call)(net, op); return; }

/* A loss, forward or backward operation on int16. */
static void fixed(struct shoal *net, const struct operation *op)
{
#if HAS_FIXED
    const uint8_t code = op->code - QUANTIZED;
    RUN(SHOAL_QUANTIZED, DENSE, fixed_dense)
    RUN(SHOAL_QUANTIZED, RELU, fixed_relu)
    RUN(SHOAL_QUANTIZED, SOFTMAX, fixed_softmax)
    if (HAS(SHOAL_QUANTIZED_BACKWARD, DENSE) && code == BACKWARD + DENSE) shoal_fixed_dense_backward(net, op);
    else if (HAS(SHOAL_QUANTIZED_BACKWARD, RELU)) shoal_fixed_relu_backward(net, op);
#else
    (void)net, (void)op; /* the loader refuses them */
#endif
}

static bool runs_fixed(struct shoal *net, const struct operation *op)
{
    if (!HAS_FIXED || op->in == NONE || !is_fixed(tensor_at(net, op->in).type)) return false;
    fixed(net, op);
    return true;
}

static void quantized(struct shoal *net, const struct operation *op)
{
    if (runs_fixed(net, op)) return;
#if SHOAL_BYTES
    const uint8_t code = (uint8_t)(op->code - QUANTIZED);
    RUN(SHOAL_QUANTIZED, DENSE, quantized_dense)
    RUN(SHOAL_QUANTIZED, CONV2D, quantized_conv2d)
    RUN(SHOAL_QUANTIZED, DEPTHWISE_CONV2D, quantized_depthwise_conv2d)
    RUN(SHOAL_QUANTIZED, MAX_POOL2D, quantized_max_pool2d)
    RUN(SHOAL_QUANTIZED, AVERAGE_POOL2D, quantized_average_pool2d)
    RUN(SHOAL_QUANTIZED, ADD, quantized_add)
    RUN(SHOAL_QUANTIZED, SOFTMAX, quantized_softmax)
    RUN(SHOAL_QUANTIZED, LOOKUP, quantized_lookup)
    RUN(SHOAL_QUANTIZED, MEAN, quantized_mean)
    RUN(SHOAL_QUANTIZED, PAD, pad_forward)
    RUN(SHOAL_QUANTIZED, RESIZE_NEAREST, resize_nearest_forward)
    if (HAS_SVDF && code == SVDF) shoal_quantized_svdf(net, op);
    else if (HAS_QUANTIZED_LSTM) shoal_quantized_lstm(net, op);
#endif
}

static void forward(struct shoal *net, const struct operation *op, bool observe)
{
    const uint8_t code = op->code;
    RUN(SHOAL_OPERATIONS, DENSE, dense_forward)
    RUN(SHOAL_OPERATIONS, CONV2D, conv2d_forward)
    RUN(SHOAL_OPERATIONS, DEPTHWISE_CONV2D, depthwise_conv2d_forward)
    RUN(SHOAL_OPERATIONS, MAX_POOL2D, max_pool2d_forward)
    RUN(SHOAL_OPERATIONS, AVERAGE_POOL2D, average_pool2d_forward)
    RUN(SHOAL_OPERATIONS, ADD, add_forward)
    RUN(SHOAL_OPERATIONS, SOFTMAX, softmax_forward)
    RUN(SHOAL_OPERATIONS, GROUP_NORM, group_norm_forward)
    RUN(SHOAL_OPERATIONS, PAD, pad_forward)
    RUN(SHOAL_OPERATIONS, RESIZE_NEAREST, resize_nearest_forward)
    RUN(SHOAL_OPERATIONS, QUANTIZE, quantize_forward)
    RUN(SHOAL_OPERATIONS, DEQUANTIZE, dequantize_forward)
#if SHOAL_WIDTH == 1
    RUN(SHOAL_OPERATIONS, REQUANTIZE, requantize_forward)
    RUN(SHOAL_OPERATIONS, LSTM, lstm_forward)
#endif
    if (HAS(SHOAL_OPERATIONS, STANDARDIZE) && code == STANDARDIZE) {
        if (observe) SHOAL_NAME(standardize_observe)(net, op);
        SHOAL_NAME(standardize_forward)(net, op);
        return;
    }
    if (HAS_QUANTIZED && code >= QUANTIZED) quantized(net, op);
    else if (SHOAL_OPERATIONS & ACTIVATIONS) SHOAL_NAME(activation_forward)(net, op);
}

static void quantized_backward(struct shoal *net, const struct operation *op)
{
    if (runs_fixed(net, op)) return;
#if SHOAL_BYTES && SHOAL_WIDTH == 1
    const uint8_t code = (uint8_t)(op->code - QUANTIZED - BACKWARD);
    RUN(SHOAL_QUANTIZED_BACKWARD, DENSE, quantized_dense_backward)
    RUN(SHOAL_QUANTIZED_BACKWARD, CONV2D, quantized_conv2d_backward)
    RUN(SHOAL_QUANTIZED_BACKWARD, DEPTHWISE_CONV2D, quantized_depthwise_conv2d_backward)
    RUN(SHOAL_QUANTIZED_BACKWARD, MAX_POOL2D, quantized_max_pool2d_backward)
    RUN(SHOAL_QUANTIZED_BACKWARD, AVERAGE_POOL2D, quantized_average_pool2d_backward)
    RUN(SHOAL_QUANTIZED_BACKWARD, CLAMP, quantized_clamp_backward)
#endif
}

static void backward(struct shoal *net, const struct operation *op)
{
    const uint8_t code = (uint8_t)(op->code - BACKWARD);
    RUN(SHOAL_BACKWARD, DENSE, dense_backward)
    RUN(SHOAL_BACKWARD, CONV2D, conv2d_backward)
    RUN(SHOAL_BACKWARD, DEPTHWISE_CONV2D, depthwise_conv2d_backward)
    RUN(SHOAL_BACKWARD, MAX_POOL2D, max_pool2d_backward)
    RUN(SHOAL_BACKWARD, AVERAGE_POOL2D, average_pool2d_backward)
    RUN(SHOAL_BACKWARD, SOFTMAX, softmax_backward)
    RUN(SHOAL_BACKWARD, GROUP_NORM, group_norm_backward)
    RUN(SHOAL_BACKWARD, STANDARDIZE, standardize_backward)
    /* Two gradients of one value: */
    if (HAS(SHOAL_BACKWARD, ADD) && op->code == ADD) SHOAL_NAME(add_forward)(net, op);
    else if (HAS_QUANTIZED_BACKWARD && op->code >= QUANTIZED) quantized_backward(net, op);
    else if (SHOAL_BACKWARD & ACTIVATIONS) SHOAL_NAME(activation_backward)(net, op);
}

void SHOAL_NAME(run_forward)(struct shoal *net, bool observe)
{
    for (uint32_t i = 0; i < net->header.forward; i++) {
        const struct operation *const op = net->operations + i;
        forward(net, op, observe);
    }
}

static real loss_of(struct shoal *net, const struct operation *op, const real *target, bool learn)
{
#if HAS_FIXED
    if (op->code >= QUANTIZED) return shoal_fixed_loss(net, op, target, learn);
#endif
    return SHOAL_NAME(loss)(net, op, target, learn);
}

real SHOAL_NAME(run_loss)(struct shoal *net, const real *target)
{
    const struct operation *const op = net->operations + net->header.forward;
    return loss_of(net, op, target, false);
}

/* The learning part after its loss. Adam's powers count the step that is being taken. */
static void run_backward(struct shoal *net)
{
    const bool accumulate = (net->header.flags & ACCUMULATE) != 0;
    if (!accumulate) {
        net->beta1_power *= net->optimizer.beta1;
        net->beta2_power *= net->optimizer.beta2;
    }
    for (uint32_t i = 1; i < net->learning; i++) {
        const struct operation *const op = net->operations + net->header.forward + i;
        backward(net, op);
    }
    if (accumulate) net->pending++;
    else net->steps++;
}

real SHOAL_NAME(run_learning)(struct shoal *net, const real *target)
{
    const struct operation *const op = net->operations + net->header.forward;
    const real             loss = loss_of(net, op, target, true);
#if SHOAL_WIDTH == 1
    if (loss - loss != 0.0f) return loss; /* infinite or not a number: learn nothing */
#endif
    run_backward(net);
    return loss;
}

/* Backward stops after the last operation that still updates something. */
void SHOAL_NAME(prune)(struct shoal *net)
{
    net->learning = 1;
    for (uint32_t i = 1; i < net->header.learning; i++) {
        const struct operation *const op = net->operations + net->header.forward + i;
        if (updates(net, op, UPDATE_WEIGHTS) || updates(net, op, UPDATE_BIAS))
            net->learning = i + 1;
    }
}
