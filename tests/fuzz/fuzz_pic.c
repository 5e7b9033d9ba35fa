// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259A pair under random ports, lines, acknowledges and restored states.
 */
#include "input.h"
#include "dev/pic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	struct input in = { data, size };
	struct kvm_pic_state s;
	struct pic pic;
	unsigned int steps = 0;
	u8 v;

	memset(&pic, 0, sizeof(pic));
	pic_init(&pic);
	while (in.left && steps++ < 512) {
		switch (take8(&in) % 6) {
		case 0:
		case 1:
			pic_port_write(&pic, ports[take8(&in) % 6], take8(&in));
			break;
		case 2:
			pic_port_read(&pic, ports[take8(&in) % 6], &v);
			break;
		case 3:
			pic_set_irq(&pic, take8(&in) % PIC_PINS, take8(&in) & 1);
			break;
		case 4:
			pic_read_irq(&pic);
			pic_take_acked(&pic);
			break;
		default:
			take(&in, &s, sizeof(s));
			pic_set_state(&pic, take8(&in) & 1, &s);
		}
	}
	return 0;
}
