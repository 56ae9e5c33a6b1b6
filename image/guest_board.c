/* SPDX-License-Identifier: Apache-2.0 */
/* Names of what a guest's board is made of, for messages. */
#include <hv/guest_board.h>

const char *guest_dev_kind_name(enum guest_dev_kind kind)
{
	static const char *const names[GUEST_DEV_KINDS] = {
		[GUEST_DEV_UART_PL011] = "PL011 UART",
		[GUEST_DEV_UART_NS16550] = "16550 UART",
		[GUEST_DEV_RTC_PL031] = "PL031 clock",
		[GUEST_DEV_RTC_GOLDFISH] = "goldfish clock",
		[GUEST_DEV_GPIO_PL061] = "PL061 GPIO",
		[GUEST_DEV_VIRTIO_EMPTY] = "empty virtio-mmio slot",
		[GUEST_DEV_VIRTIO_FWD] = "virtio-mmio slot of the host",
		[GUEST_DEV_RAZ] = "range that reads zero",
	};

	return (uint32_t)kind < GUEST_DEV_KINDS ? names[kind] : "?";
}

const char *guest_intc_kind_name(enum guest_intc_kind kind)
{
	static const char *const names[GUEST_INTC_KINDS] = {
		[GUEST_INTC_NONE] = "none",
		[GUEST_INTC_GICV2] = "GICv2",
		[GUEST_INTC_GICV3] = "GICv3",
		[GUEST_INTC_PLIC] = "PLIC",
	};

	return (uint32_t)kind < GUEST_INTC_KINDS ? names[kind] : "?";
}
