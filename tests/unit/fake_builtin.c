/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing is compiled in.  A test that wants otherwise defines all of hv/builtin.h
 * itself; the linker then leaves this file out.
 */
#include <hv/builtin.h>

const struct builtin_file builtin_configs[1];
const uint32_t builtin_config_count;
const struct builtin_file builtin_images[1];
const uint32_t builtin_image_count;
const uint32_t builtin_log_level = 2;
