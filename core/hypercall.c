/* SPDX-License-Identifier: Apache-2.0 */
/* The hypercall ABI; see hypercall.h. */
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#include <errno.h>

/* A guest's pointer to `len` bytes that a call would write: in its memory, and writable. */
static bool writable(struct vm *vm, uint64_t addr, uint64_t len)
{
	uint64_t value;

	return gpa_read(&vm->s2, gpa(addr), &value, len) == 0 &&
	       stage2_allows(&vm->s2, gpa(addr), PT_W) &&
	       stage2_allows(&vm->s2, gpa(addr + len - 1), PT_W);
}

/*
 * Inter-VM channels are not there yet, and say so to the guest; its pointers are judged
 * first, so that a wrong one is told from a missing service.
 */
static int64_t ivc(struct vcpu *v, const struct vm_exit *e)
{
	const uint64_t *a = e->hypercall.args;
	bool pointers = true;

	if (e->hypercall.nr == HC_IVC_PUBLISH) {
		pointers = writable(v->vm, a[1], 8) && writable(v->vm, a[2], 8);
	} else if (e->hypercall.nr == HC_IVC_SUBSCRIBE) {
		pointers = writable(v->vm, a[2], 8) && writable(v->vm, a[3], 8);
	}
	return pointers ? -ENOSYS : -EFAULT;
}

/* Of its own, so that the call itself does not make room for what is rarely printed. */
static void __attribute__((noinline)) log_call(const struct vcpu *v, const struct vm_exit *e)
{
	const uint64_t *a = e->hypercall.args;

	log_debug("%s: Hypercall [%llu] args [%#llx, %#llx, %#llx, %#llx, %#llx, %#llx]",
		  v->vm->name, (unsigned long long)e->hypercall.nr, (unsigned long long)a[0],
		  (unsigned long long)a[1], (unsigned long long)a[2], (unsigned long long)a[3],
		  (unsigned long long)a[4], (unsigned long long)a[5]);
}

void hypercall(struct vcpu *v, struct vm_exit *e)
{
	if (unlikely(log_level >= LOG_DEBUG)) {
		log_call(v, e);
	}
	switch (e->hypercall.nr) {
	case HC_DISABLE:
	case HC_PREPARE_DISABLE:
		e->hypercall.result = -EPERM;
		break;
	case HC_DEBUG:
		e->hypercall.result = 0;
		break;
	case HC_IVC_PUBLISH:
	case HC_IVC_SUBSCRIBE:
	case HC_IVC_UNPUBLISH:
	case HC_IVC_UNSUBSCRIBE:
	case HC_IVC_NOTIFY:
		e->hypercall.result = ivc(v, e);
		break;
	default:
		e->hypercall.result = -ENOSYS;
		break;
	}
}
