"""An independent Modbus slave: pymodbus with the registers that the command line gives.

pymodbus_slave.py {tcp PORT | rtu-tcp PORT | serial PATH} UNIT FIRST=V,V,... [SPACE:FIRST=...]
SPACE as in profiles: h (holding registers, the default), i, c, d.
"""
import sys

from pymodbus.datastore import (ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock)
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer


def spaces(blocks):
    found = {"h": {}, "i": {}, "c": {}, "d": {}}
    for block in blocks:
        where, values = block.split("=")
        space, _, first = where.rpartition(":")
        for i, value in enumerate(values.split(",")):
            found[space or "h"][int(first, 0) + i] = int(value, 0)
    return {name: ModbusSparseDataBlock(registers) for name, registers in found.items()
            if registers}


def main(kind, where, unit, *blocks):
    found = spaces(blocks)
    slave = ModbusSlaveContext(hr=found.get("h"), ir=found.get("i"), co=found.get("c"),
                               di=found.get("d"), zero_mode=True)
    context = ModbusServerContext(slaves={int(unit): slave}, single=False)
    print("ready", flush=True)
    if kind == "serial":
        StartSerialServer(context=context, framer=ModbusRtuFramer, port=where, baudrate=115200)
    else:
        StartTcpServer(context=context, address=("127.0.0.1", int(where)),
                       framer=ModbusRtuFramer if kind == "rtu-tcp" else ModbusSocketFramer,
                       allow_reuse_address=True)


main(*sys.argv[1:])
