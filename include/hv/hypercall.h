/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypercalls of AxVisor's guests (docs/guest-abi.md): 0 is success, negative
 * numbers are failures.  Numbers as upstream's axhvc.
 */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include <hv/types.h>

struct vcpu;
struct vm_exit;

enum hypercall_nr {
	HC_DISABLE = 0,		/* refused: a guest may not end its host */
	HC_PREPARE_DISABLE = 1, /* refused */
	HC_DEBUG = 2,		/* does nothing, successfully: the null call */
	HC_IVC_PUBLISH = 3,
	HC_IVC_SUBSCRIBE = 4,
	HC_IVC_UNPUBLISH = 5,
	HC_IVC_UNSUBSCRIBE = 6,
	HC_IVC_NOTIFY = 7,
	HC_COUNT
};

/* Fills e->hypercall.result. */
void hypercall(struct vcpu *v, struct vm_exit *e);

#endif
