/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that tests run on: empty until a test fills it. */
#include <hv/machine.h>

struct machine host_machine;
