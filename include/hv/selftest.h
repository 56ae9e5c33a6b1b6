/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trying the hypervisor's own end, on purpose: the boot command line (QEMU's -append)
 * asks for it with a word.
 *
 *	selftest=panic	a broken invariant
 *	selftest=fault	a load from an address that is not mapped
 *	selftest=write	a store into our own code
 *	selftest=stack	a stack overflow into the guard page
 */
#ifndef HV_SELFTEST_H
#define HV_SELFTEST_H

/* Returns if nothing was asked for. */
void selftest_run(const char *bootargs);

#endif
