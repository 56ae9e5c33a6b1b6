/* SPDX-License-Identifier: Apache-2.0 */
/* Telling the emulator that the hypervisor failed; nothing on real machines. */
#ifndef HV_PVPANIC_H
#define HV_PVPANIC_H

#include <hv/machine.h>

/* Looks for the device on PCI; once, in a thread. */
void pvpanic_probe(const struct machine *m);

/* Does not return where the device is there and the emulator is told to exit. */
void pvpanic_report(void);

#endif
