/* SPDX-License-Identifier: Apache-2.0 */
/* The UART drivers, for uart_probe() to choose from. */
#ifndef DRV_UART_H
#define DRV_UART_H

struct uart_ops;

extern const struct uart_ops uart_pl011_ops;
extern const struct uart_ops uart_sbsa_ops;
extern const struct uart_ops uart_16550_ops;
extern const struct uart_ops uart_dw_ops;

#endif
