#include "files/volume.h"
void fat_volumes_mount(bool *ret_again) { (void)ret_again; }
