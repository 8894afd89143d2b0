/* mote.ld.S - where things lie: code and constants in ROM, the rest in RAM */
/* SPDX-License-Identifier: MIT */
/*
 * RAM from its bottom to its top:
 *   .preserve   kept from run to run, zero on a cold boot
 *   .noinit     kept from run to run, never touched by the start-up code
 *   .data .bss  set anew at each start
 *   heap        grows up, ends where the stack's space begins (malloc gives NULL there)
 *   stack       the last __stack_size bytes (1 MiB), grows down
 * -Wl,--defsym=__stack_size=N changes the last.
 */
#include <mote-machine.h>

ENTRY(_start)

MEMORY
{
    rom (rx)  : ORIGIN = MOTE_ROM_BASE, LENGTH = MOTE_ROM_SIZE
    ram (rwx) : ORIGIN = MOTE_RAM_BASE, LENGTH = MOTE_RAM_SIZE
}

PHDRS
{
    text PT_LOAD FLAGS(5);
    ram  PT_LOAD FLAGS(6); /* no bytes in the file */
    data PT_LOAD FLAGS(6); /* its bytes lie in ROM */
    tls  PT_TLS;
}

SECTIONS
{
    PROVIDE(__stack = ORIGIN(ram) + LENGTH(ram));
    PROVIDE(__stack_size = 0x100000);

    .text : {
        KEEP(*(.text.init.enter))
        *(.text.unlikely .text.unlikely.*)
        *(.text.startup .text.startup.*)
        *(.text .text.* .gnu.linkonce.t.*)
        KEEP(*(SORT_BY_NAME(.init) SORT_BY_NAME(.init.*)))
        KEEP(*(.fini .fini.*))
        *(.rodata .rodata.* .gnu.linkonce.r.*)
        *(.srodata .srodata.*)
        *(.data.rel.ro .data.rel.ro.*)
        *(.got .got.*)
        . = ALIGN(8);
        PROVIDE_HIDDEN(__preinit_array_start = .);
        KEEP(*(.preinit_array))
        PROVIDE_HIDDEN(__preinit_array_end = .);
        PROVIDE_HIDDEN(__init_array_start = .);
        KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*) SORT_BY_INIT_PRIORITY(.ctors.*)))
        KEEP(*(.init_array .ctors))
        PROVIDE_HIDDEN(__init_array_end = .);
        PROVIDE_HIDDEN(__fini_array_start = .);
        KEEP(*(SORT_BY_INIT_PRIORITY(.fini_array.*) SORT_BY_INIT_PRIORITY(.dtors.*)))
        KEEP(*(.fini_array .dtors))
        PROVIDE_HIDDEN(__fini_array_end = .);
        . = ALIGN(16);
    } >rom AT>rom :text

    .preserve (NOLOAD) : ALIGN(16) {
        __preserve_start = .;
        KEEP(*(SORT_BY_NAME(.preserve.*)))
        KEEP(*(.preserve))
        . = ALIGN(16);
        __preserve_end = .;
    } >ram AT>ram :ram

    .noinit (NOLOAD) : ALIGN(16) {
        KEEP(*(SORT_BY_NAME(.noinit.*)))
        KEEP(*(.noinit))
        . = ALIGN(16);
    } >ram AT>ram :ram

    .data : ALIGN(16) {
        *(.data .data.* .gnu.linkonce.d.*)
        . = ALIGN(8);
        PROVIDE(__global_pointer$ = . + 0x800);
        *(.sdata .sdata.* .sdata2.* .gnu.linkonce.s.*)
        . = ALIGN(16);
    } >ram AT>rom :data
    PROVIDE(__data_start = ADDR(.data));
    PROVIDE(__data_source = LOADADDR(.data));

    /* Thread-local variables of the one thread there is: errno and the like. */
    .tdata : ALIGN(16) {
        *(.tdata .tdata.* .gnu.linkonce.td.*)
        . = ALIGN(16);
        __data_end = .;
    } >ram AT>rom :tls :data
    PROVIDE(__tls_base = ADDR(.tdata));

    .tbss (NOLOAD) : {
        *(.tbss .tbss.* .gnu.linkonce.tb.* .tcommon)
        . = ALIGN(16);
    } >ram AT>ram :tls :ram
    PROVIDE(__bss_start = ADDR(.tbss));

    /* The linker does not count .tbss as space, so this makes room for it. */
    .tbss_space (NOLOAD) : {
        . = . + SIZEOF(.tbss);
    } >ram AT>ram :ram

    .bss (NOLOAD) : ALIGN(16) {
        *(.sbss .sbss.* .gnu.linkonce.sb.*)
        *(.bss .bss.* .gnu.linkonce.b.*)
        *(COMMON)
        . = ALIGN(16);
        __bss_end = .;
    } >ram AT>ram :ram
    PROVIDE(_end = __bss_end);
    PROVIDE(end = __bss_end);

    PROVIDE(__heap_start = __bss_end);
    PROVIDE(__heap_end = __stack - __stack_size);
    ASSERT(__heap_start <= __heap_end, "variables and stack do not fit into RAM")

    /DISCARD/ : {
        *(.note .note.*)
        *(.eh_frame .eh_frame.*)
    }

    .comment 0 : { *(.comment) }
    .debug_aranges 0 : { *(.debug_aranges) }
    .debug_info 0 : { *(.debug_info .gnu.linkonce.wi.*) }
    .debug_abbrev 0 : { *(.debug_abbrev) }
    .debug_line 0 : { *(.debug_line .debug_line.*) }
    .debug_frame 0 : { *(.debug_frame) }
    .debug_str 0 : { *(.debug_str) }
    .debug_loc 0 : { *(.debug_loc) }
    .debug_ranges 0 : { *(.debug_ranges) }
    .debug_macro 0 : { *(.debug_macro) }
    .debug_line_str 0 : { *(.debug_line_str) }
    .debug_loclists 0 : { *(.debug_loclists) }
    .debug_rnglists 0 : { *(.debug_rnglists) }
    .debug_str_offsets 0 : { *(.debug_str_offsets) }
    .riscv.attributes 0 : { *(.riscv.attributes) }
}

ASSERT(__data_end - __data_start == LOADADDR(.tdata) + SIZEOF(.tdata) - __data_source,
    "the copy of .data in ROM does not lie as .data does in RAM")
