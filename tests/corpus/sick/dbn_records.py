"""A day of trades with their sending times, decoded record by record; only their sum is kept."""
import struct

import databento_dbn as dbn


def packet(n):
    parts = []
    for k in range(20):
        trade = bytearray(bytes(dbn.TradeMsg(publisher_id=1, instrument_id=k, ts_event=n * 1000 + k, price=10**9 + k, size=k,
                                             action=dbn.Action.TRADE, side=dbn.Side.BID, depth=0, ts_recv=n * 1000 + k)))
        trade[0] += 2
        parts.append(bytes(trade) + struct.pack("<Q", n * 1000 + k + 5))
    return b"".join(parts)


def main():
    decoder = dbn.DBNDecoder(has_metadata=False, ts_out=True)
    packets = [packet(n) for n in range(20)]
    total = 0
    for n in range(25000):
        decoder.write(packets[n % 20])
        for record in decoder.decode():
            total += record.size + record.ts_out % 7
    print(total)


main()
