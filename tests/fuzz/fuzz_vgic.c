/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GICs under a hostile guest: bytes become accesses of any width
 * anywhere, SGIs, lines, host interrupts, acknowledges and ends in any order, vCPUs
 * that come and go.  After every step the invariants of vgic_rig.h must hold, and at
 * the end no host interrupt may be left active.
 */
#include "tests/unit/vgic_rig.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rig rig;

void vcpu_kick(struct vm *vm, uint32_t vcpu)
{
	(void)vm;
	rig_kick(vcpu);
}

struct input {
	const uint8_t *at;
	size_t left;
};

static uint32_t take(struct input *in)
{
	if (in->left == 0) {
		return 0;
	}
	in->left--;
	return *in->at++;
}

static uint64_t take64(struct input *in)
{
	uint64_t v = 0;
	uint32_t i;

	for (i = 0; i < 8; i++) {
		v = v << 8 | take(in);
	}
	return v;
}

static void check(void)
{
	if (rig.error != NULL) {
		fprintf(stderr, "%s\n", rig.error);
		abort();
	}
}

static bool loaded(uint32_t v)
{
	return rig.core_of[v] != RIG_NO_CORE;
}

static void access_any(struct input *in, uint32_t v)
{
	uint32_t how = take(in);
	uint64_t offset = take(in) << 8 | take(in);
	/* Values of a few bits reach more than random ones. */
	uint64_t value = (how & 0x20) != 0 ? take64(in) : UINT64_C(0x0101010101010101) * take(in);
	struct vdev *dev = &rig.g->dist;

	if ((how & 0x10) != 0 && rig.g->kind == VGIC_V3) {
		dev = &rig.g->redist;
		offset |= (uint64_t)(how >> 6 & 3) << 17 | (uint64_t)(how >> 3 & 1) << 16;
	} else if ((how & 0x10) != 0 && rig.trapped) {
		dev = &rig.g->cpuif;
		offset &= (how & 0x08) != 0 ? 0xff : 0x1fff;
	} else if ((how & 0x08) != 0) {
		offset &= 0xfff;
	}
	(void)rig_access(dev, v, (how & 4) != 0, offset, 1u << (how & 3), value);
}

static void fire(struct input *in, uint32_t v)
{
	uint32_t irq = 16 + take(in) % 112;
	uint32_t host = irq < 32 ? irq : irq + 200;

	if (!loaded(v)) {
		return;
	}
	rig_on(v);
	if (!*fake_phys_active(host)) {
		rig_fire(v, irq, host);
	}
}

static void move(struct input *in, uint32_t v)
{
	uint32_t core = take(in) % FAKE_CORES;
	uint32_t i;

	if (loaded(v)) {
		rig_save(v);
		return;
	}
	for (i = 0; i < rig.vcpus; i++) {
		if (rig.core_of[i] == core) {
			return;
		}
	}
	rig_load(v, core);
}

static void guest(struct input *in, uint32_t v, uint32_t op)
{
	static uint32_t last;
	uint32_t id = take(in);

	if (!loaded(v)) {
		return;
	}
	switch (op) {
	case 0:
		id = rig_ack(v);
		last = id != FAKE_SPURIOUS ? id : last;
		break;
	case 1:
		rig_eoi(v, id < 0x80 ? last : id & 0x7f);
		break;
	case 2:
		rig_dir(v, id < 0x80 ? last : id & 0x7f);
		break;
	default:
		rig_enter(v);
		rig_open(v, (id & 0x80) != 0 ? FAKE_VMCR_OPEN
					     : (id & 3) | (id & 0x7c) << 25 | (id & 8) << 6);
		break;
	}
}

/* Back to nothing: every host interrupt given back. */
static void finish(void)
{
	uint32_t i;

	for (i = 0; i < rig.vcpus; i++) {
		if (loaded(i)) {
			rig_save(i);
		}
	}
	rig.vic->ops->destroy(rig.vic);
	for (i = 0; i < ARRAY_SIZE(fake_spi_active); i++) {
		if (fake_spi_active[i]) {
			rig_fail("a shared interrupt left active");
		}
	}
	check();
	rig_stop();
}

static void step(struct input *in)
{
	uint32_t op = take(in);
	uint32_t v = (op >> 4) % rig.vcpus;
	uint32_t n;

	switch (op & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
		guest(in, v, op & 15);
		break;
	case 4:
	case 5:
		n = take(in);
		rig_set((n & 1) != 0 ? v : VIRQ_SHARED, 16 + (n >> 1), (op & 1) != 0);
		break;
	case 6:
		fire(in, v);
		break;
	case 7:
		move(in, v);
		break;
	case 8:
		rig_enter(v);
		vgic_v3_sgi(rig.g, v, (enum vgic_sgi_reg)(take(in) % 3), take64(in));
		rig_check();
		break;
	case 9:
		(void)rig_pending(v);
		break;
	case 10:
		if (!loaded(v)) {
			rig.vic->ops->vcpu_reset(rig.vic, v);
			rig_check();
		}
		break;
	default:
		access_any(in, v);
		break;
	}
	if ((op & 0x80) != 0) {
		rig_enter(v);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t setup = take(&in);
	/* 33 is a GICv2 guest with 5 to 8 list registers, of which it uses none. */
	enum rig_how how = (setup & 0x21) == 0x21 ? RIG_TRAPPED : RIG_LISTS;
	uint32_t i;

	if (rig_start((setup & 1) != 0 ? VGIC_V2 : VGIC_V3, how, 1 + (setup >> 1 & 3),
		      1 + (setup >> 3 & 7), (setup & 0x40) != 0 ? 988 : 96) != 0) {
		abort();
	}
	if ((setup & 0x80) != 0) { /* as a guest sets it up, so that much happens soon */
		rig_write(0, 0, 3);
		for (i = 0; i < 4; i++) {
			rig_write(0, 0x100 + 4 * i, UINT32_MAX);
		}
		for (i = 32; rig.g->kind == VGIC_V2 && i < 128; i += 4) {
			rig_write(0, 0x800 + i, 0x01020401);
		}
		for (i = 0; rig.g->kind == VGIC_V3 && i < rig.vcpus; i++) {
			rig_sgi_write(0, i, 0x100, UINT32_MAX);
		}
	}
	while (in.left != 0 && rig.error == NULL) {
		step(&in);
	}
	check();
	finish();
	return 0;
}
