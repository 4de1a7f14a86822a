/* Obeys a checked image: one switch, operation after operation. */
#include "network.h"

#define ACTIVATIONS (UINT64_C(0x1F) << RELU) /* RELU to SIGMOID */

/* A case for an operation that is compiled in. */
#define CASE(set, code, call) \
    case code: if (HAS(set, code)) SHOAL_NAME(call)(net, op); break

/* A loss, forward or backward operation on int16. */
static void fixed(struct shoal *net, const struct operation *op)
{
#if HAS_FIXED
    switch (op->code - QUANTIZED) {
        CASE(SHOAL_QUANTIZED, DENSE, fixed_dense);
        CASE(SHOAL_QUANTIZED, RELU, fixed_relu);
        CASE(SHOAL_QUANTIZED, SOFTMAX, fixed_softmax);
    case BACKWARD + DENSE: if (HAS(SHOAL_QUANTIZED_BACKWARD, DENSE)) shoal_fixed_dense_backward(net, op); break;
    case BACKWARD + RELU: if (HAS(SHOAL_QUANTIZED_BACKWARD, RELU)) shoal_fixed_relu_backward(net, op); break;
    }
#else
    (void)net, (void)op; /* the loader refuses them */
#endif
}

static void quantized(struct shoal *net, const struct operation *op)
{
    if (op->in != NONE && is_fixed(tensor_at(net, op->in).type)) {
        fixed(net, op);
        return;
    }
#if SHOAL_BYTES
    switch (op->code - QUANTIZED) {
        CASE(SHOAL_QUANTIZED, DENSE, quantized_dense);
        CASE(SHOAL_QUANTIZED, CONV2D, quantized_conv2d);
        CASE(SHOAL_QUANTIZED, DEPTHWISE_CONV2D, quantized_depthwise_conv2d);
        CASE(SHOAL_QUANTIZED, MAX_POOL2D, quantized_max_pool2d);
        CASE(SHOAL_QUANTIZED, AVERAGE_POOL2D, quantized_average_pool2d);
        CASE(SHOAL_QUANTIZED, ADD, quantized_add);
        CASE(SHOAL_QUANTIZED, SOFTMAX, quantized_softmax);
        CASE(SHOAL_QUANTIZED, LOOKUP, quantized_lookup);
        CASE(SHOAL_QUANTIZED, MEAN, quantized_mean);
        CASE(SHOAL_QUANTIZED, PAD, pad_forward);
        CASE(SHOAL_QUANTIZED, RESIZE_NEAREST, resize_nearest_forward);
    }
#endif
}

static void forward(struct shoal *net, const struct operation *op, bool observe)
{
    switch (op->code) {
        CASE(SHOAL_OPERATIONS, DENSE, dense_forward);
        CASE(SHOAL_OPERATIONS, CONV2D, conv2d_forward);
        CASE(SHOAL_OPERATIONS, DEPTHWISE_CONV2D, depthwise_conv2d_forward);
        CASE(SHOAL_OPERATIONS, MAX_POOL2D, max_pool2d_forward);
        CASE(SHOAL_OPERATIONS, AVERAGE_POOL2D, average_pool2d_forward);
        CASE(SHOAL_OPERATIONS, ADD, add_forward);
        CASE(SHOAL_OPERATIONS, SOFTMAX, softmax_forward);
        CASE(SHOAL_OPERATIONS, GROUP_NORM, group_norm_forward);
        CASE(SHOAL_OPERATIONS, PAD, pad_forward);
        CASE(SHOAL_OPERATIONS, RESIZE_NEAREST, resize_nearest_forward);
        CASE(SHOAL_OPERATIONS, QUANTIZE, quantize_forward);
        CASE(SHOAL_OPERATIONS, DEQUANTIZE, dequantize_forward);
    case STANDARDIZE:
        if (!HAS(SHOAL_OPERATIONS, STANDARDIZE)) break;
        if (observe) SHOAL_NAME(standardize_observe)(net, op);
        SHOAL_NAME(standardize_forward)(net, op);
        break;
    default:
        if (op->code >= QUANTIZED) quantized(net, op);
        else if (SHOAL_OPERATIONS & ACTIVATIONS) SHOAL_NAME(activation_forward)(net, op);
        break;
    }
}

static void quantized_backward(struct shoal *net, const struct operation *op)
{
    if (op->in != NONE && is_fixed(tensor_at(net, op->in).type)) {
        fixed(net, op);
        return;
    }
#if SHOAL_BYTES && SHOAL_WIDTH == 1
    switch (op->code - QUANTIZED - BACKWARD) {
        CASE(SHOAL_QUANTIZED_BACKWARD, DENSE, quantized_dense_backward);
        CASE(SHOAL_QUANTIZED_BACKWARD, CONV2D, quantized_conv2d_backward);
        CASE(SHOAL_QUANTIZED_BACKWARD, DEPTHWISE_CONV2D, quantized_depthwise_conv2d_backward);
        CASE(SHOAL_QUANTIZED_BACKWARD, MAX_POOL2D, quantized_max_pool2d_backward);
        CASE(SHOAL_QUANTIZED_BACKWARD, AVERAGE_POOL2D, quantized_average_pool2d_backward);
        CASE(SHOAL_QUANTIZED_BACKWARD, CLAMP, quantized_clamp_backward);
    }
#else
    (void)net, (void)op; /* the loader refuses them */
#endif
}

static void backward(struct shoal *net, const struct operation *op)
{
    switch (op->code - BACKWARD) {
        CASE(SHOAL_BACKWARD, DENSE, dense_backward);
        CASE(SHOAL_BACKWARD, CONV2D, conv2d_backward);
        CASE(SHOAL_BACKWARD, DEPTHWISE_CONV2D, depthwise_conv2d_backward);
        CASE(SHOAL_BACKWARD, MAX_POOL2D, max_pool2d_backward);
        CASE(SHOAL_BACKWARD, AVERAGE_POOL2D, average_pool2d_backward);
        CASE(SHOAL_BACKWARD, SOFTMAX, softmax_backward);
        CASE(SHOAL_BACKWARD, GROUP_NORM, group_norm_backward);
        CASE(SHOAL_BACKWARD, STANDARDIZE, standardize_backward);
    case ADD - BACKWARD: /* two gradients of one value */
        if (HAS(SHOAL_BACKWARD, ADD)) SHOAL_NAME(add_forward)(net, op);
        break;
    default:
        if (op->code >= QUANTIZED) quantized_backward(net, op);
        else if (SHOAL_BACKWARD & ACTIVATIONS) SHOAL_NAME(activation_backward)(net, op);
        break;
    }
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
