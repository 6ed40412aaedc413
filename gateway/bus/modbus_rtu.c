#include "gateway/bus/bus.h"
#include <errno.h>
int bus_rtu_create(const struct bus_rtu_options *o, struct bus **ret)
{
    (void)o, (void)ret;
    return -ENOTSUP;
}
