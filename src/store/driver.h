/* A file driver for writing that never tells libhdf5 of a failed write.
 *
 * When a write fails (disk full), libhdf5 1.10 cannot close the file any more: it keeps trying,
 * crashes in H5Fclose or loops at exit. So the first failure is kept here, later writes are
 * dropped, and the writer asks for it: a file with a fault is removed, never renamed into place. */
#ifndef HLRP_STORE_DRIVER_H
#define HLRP_STORE_DRIVER_H

#include <hdf5.h>

/* Makes files opened with this access list use the driver. *fault, which must outlive the file, is
 * set to the errno of the first failure. False where HDF5 refuses. */
int hlrp_driver_use(hid_t access_list, int *fault);

#endif
