"""An independent Modbus slave: pymodbus with the registers that the command line gives.

slave.py {tcp PORT | serial PATH} UNIT FIRST=V,V,... [FIRST=...]     holding registers only
"""
import sys

from pymodbus.datastore import (ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock)
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.transaction import ModbusRtuFramer


def main(kind, where, unit, *blocks):
    registers = {}
    for block in blocks:
        first, values = block.split("=")
        for i, value in enumerate(values.split(",")):
            registers[int(first) + i] = int(value, 0)
    slave = ModbusSlaveContext(hr=ModbusSparseDataBlock(registers), zero_mode=True)
    context = ModbusServerContext(slaves={int(unit): slave}, single=False)
    print("ready", flush=True)
    if kind == "tcp":
        StartTcpServer(context=context, address=("127.0.0.1", int(where)),
                       allow_reuse_address=True)
    else:
        StartSerialServer(context=context, framer=ModbusRtuFramer, port=where, baudrate=115200)


main(*sys.argv[1:])
