/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's virtual GIC: GICv2 (IHI 0048B) or GICv3 (IHI 0069, one security state:
 * DS = 1, affinity routing always on, no LPIs), delivered through the host's list
 * registers (hv/gich.h); a GICv2 on a host with a GICv3 by a CPU interface that traps.
 *
 * Life: vgic_size() bytes of zeroed memory from the VM's pool → vgic_init() →
 * vgic_attach() → the operations of hv/vic.h.  Nothing outside that memory is held,
 * so there is nothing to free; destroy() gives back host interrupts left active.
 *
 * What the architecture's code calls, always with host interrupts masked:
 *
 *   load/save      the vCPU's EL1 state comes on this core / leaves it.  save() after
 *                  the vCPU's timers are stopped, load() before they are started.
 *   sync           before guest entry when vcpu_kick() was called for the vCPU since
 *                  it last entered.  Accesses, SGIs and lines that concern the vCPU
 *                  loaded on this core are applied at once or by a vcpu_kick() of it.
 *   vgic_maintenance()  the host's maintenance interrupt fired; the vCPU is loaded on
 *                  this core.  It is over when the guest is entered again.
 *   inject_hw      a forwarded host interrupt was acknowledged and dropped (not
 *                  deactivated).  Private ones on the core where the vCPU is loaded.
 *   pending        WFI: may the vCPU sleep?  If the vCPU is loaded, only on the core
 *                  where it is loaded: the list registers are read there.  A vCPU that
 *                  was let sleep is kicked by inject_hw and by its own core's changes.
 *   vgic_v3_sgi()  a trapped write to ICC_SGI1R/SGI0R/ASGI1R_EL1.
 *   bus accesses   on the core where the accessing vCPU is loaded, if it is loaded.
 *
 * Of the list registers, what was last read back is what other cores see: a guest
 * that reads pending or active bits of an interrupt that is in a list register of
 * another running vCPU gets the state of that vCPU's last fold.  Writes to these bits
 * are passed to that vCPU (vcpu_kick()) and take effect before it runs again.
 *
 * Lock: one per vgic, below the VM's and above the vCPU's (vcpu_kick() is called with
 * it held).  Acknowledge callbacks (on_ack) are called without it.
 */
#ifndef HV_VGIC_H
#define HV_VGIC_H

#include <hv/gich.h>
#include <hv/types.h>
#include <hv/vdev.h>
#include <hv/vic.h>

#define VGIC_V2_MAX_VCPUS 8
#define VGIC_V3_MAX_VCPUS MAX_VCPUS
#define VGIC_MAX_SPIS	  988 /* INTIDs 32..1019 */
#define VGIC_MAX_REDISTS  8   /* redistributor regions */
#define VGIC_MAX_ACKS	  16  /* on_ack() registrations */

enum vgic_kind {
	VGIC_V2 = 2,
	VGIC_V3 = 3,
};

struct vgic_range {
	gpa_t base;
	uint64_t size; /* bytes */
};

struct vgic_params {
	enum vgic_kind kind;
	struct vm *vm;
	uint32_t vcpu_count;   /* 1..8 (V2), 1..32 (V3) */
	const uint64_t *hwids; /* MPIDR affinities, [39:32] and [23:0]; used during init only */
	uint32_t spi_count;    /* 0..988; rounded up to a multiple of 32 (at most 988) */
	struct vgic_range gicd;
	struct vgic_range gicc; /* V2; on the bus where vgic_is_trapped(), else see vgic_gicc() */
	/* V3: vCPUs take frames of `stride` bytes in order, region after region. */
	uint32_t redist_count;
	struct vgic_range redist[VGIC_MAX_REDISTS];
	uint64_t redist_stride; /* power of two, at least 128 KiB; 0 = 128 KiB */
	const struct gich *gich;
};

struct vgic;

/*
 * The guest's CPU interface is emulated, and interrupts are signalled by
 * arch_vgic_lines(): a GICv3 has no virtual interface that is memory-mapped, unless it
 * brings the legacy one, which is not relied upon.
 */
static inline bool vgic_is_trapped(enum vgic_kind kind, const struct gich *gich)
{
	return kind == VGIC_V2 && gich->version == 3;
}

/* Bytes that a vgic of this many vCPUs needs; alignment: 16. */
size_t vgic_size(enum vgic_kind kind, uint32_t vcpu_count);

/*
 * Makes a vgic in `g` (zeroed, vgic_size() bytes), in its state after power-on.
 * -EINVAL: numbers out of the ranges above, two vCPUs with one affinity, or
 * redistributor regions too small for the vCPUs.  -ENOTSUP: a GICv3 for a host that
 * has a GICv2.
 */
int __must_check vgic_init(struct vgic *g, const struct vgic_params *p);

struct vic *vgic_vic(struct vgic *g);

/* GICD and GICRs, or a trapped GICC, on the bus; errors and *other as bus_add(). */
int __must_check vgic_attach(struct vgic *g, struct vdev_bus *bus, const struct bus_range **other);

/*
 * Where a V2 guest's CPU interface is: on a host with gich->version 2 the frame
 * gich->gicv is mapped there by stage 2.
 */
struct vgic_range vgic_gicc(const struct vgic *g);

/*
 * Virtual interrupt lines of the vCPU that is loaded on this core (HCR_EL2.VI and VF);
 * both are low when a vCPU is loaded, and after save().  By arch/aarch64/vcpu.c (tests:
 * fake_gich.c); called with the lock held.
 */
void arch_vgic_lines(bool irq, bool fiq);

/* See above. */
void vgic_maintenance(struct vgic *g, uint32_t vcpu);

enum vgic_sgi_reg {
	VGIC_SGI1R,  /* ICC_SGI1R_EL1: group 1 */
	VGIC_SGI0R,  /* ICC_SGI0R_EL1: group 0 */
	VGIC_ASGI1R, /* ICC_ASGI1R_EL1: as SGI0R, there being one security state */
};

/* V3: vCPU `vcpu`, loaded on this core, wrote `value`.  IHI 0069 ch. 12.2. */
void vgic_v3_sgi(struct vgic *g, uint32_t vcpu, enum vgic_sgi_reg reg, uint64_t value);

#endif
