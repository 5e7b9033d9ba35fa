/* SPDX-License-Identifier: GPL-2.0-only */
/* core/backend.h names modules; pure code never looks into one. */
#ifndef SHIM_LINUX_MODULE_H
#define SHIM_LINUX_MODULE_H

struct module;

#endif
