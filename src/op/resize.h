/* How a RESIZE node says what it does: its `ints`. Factors of H and W are lo and hi, 0 where its second
 * input gives the sizes. Names are those of the ONNX operator. */
#ifndef HLRP_OP_RESIZE_H
#define HLRP_OP_RESIZE_H

enum { HLRP_RESIZE_MODE, HLRP_RESIZE_FRAME, HLRP_RESIZE_NEAREST, HLRP_RESIZE_INTS };

enum { HLRP_RESIZE_BY_NEAREST, HLRP_RESIZE_BY_LINEAR };

typedef enum hlrp_resize_frame {
    HLRP_FRAME_HALF_PIXEL,
    HLRP_FRAME_TORCH_HALF_PIXEL,
    HLRP_FRAME_CORNERS,
    HLRP_FRAME_ASYMMETRIC
} hlrp_resize_frame;

typedef enum hlrp_resize_nearest {
    HLRP_NEAREST_ROUND_DOWN, /* round_prefer_floor */
    HLRP_NEAREST_ROUND_UP,
    HLRP_NEAREST_FLOOR,
    HLRP_NEAREST_CEIL
} hlrp_resize_nearest;

#endif
