/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which driver belongs to the console that the machine description names.
 */
#include "uart.h"

#include <errno.h>
#include <hv/machine.h>
#include <hv/uart.h>

/* A DesignWare UART has registers up to number 62, the others up to 7. */
static const struct {
	const char *name;
	const struct uart_ops *ops;
	uint64_t registers;
} drivers[] = {
	[MACHINE_UART_PL011] = { "pl011", &uart_pl011_ops, 0x4c },
	[MACHINE_UART_SBSA] = { "sbsa-uart", &uart_sbsa_ops, 0x48 },
	[MACHINE_UART_16550] = { "ns16550", &uart_16550_ops, 8 },
	[MACHINE_UART_DW_APB] = { "dw-apb-uart", &uart_dw_ops, 32 },
};

int uart_probe(const struct machine *m, struct uart *out)
{
	const struct machine_uart *mu = machine_console(m);

	if (mu == NULL || mu->kind == MACHINE_UART_NONE ||
	    mu->range.size < drivers[mu->kind].registers << mu->reg_shift) {
		return -ENODEV;
	}
	*out = (struct uart){
		.ops = drivers[mu->kind].ops,
		.name = drivers[mu->kind].name,
		.base = mu->range.base,
		.reg_shift = mu->reg_shift,
		.io_width = mu->reg_io_width,
		.irq = mu->irq.intid,
	};
	return 0;
}
