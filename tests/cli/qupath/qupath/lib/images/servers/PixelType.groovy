package qupath.lib.images.servers

enum PixelType { UINT8, FLOAT32 }
