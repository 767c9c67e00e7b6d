"""Packets are made, written and read."""

import logging

logging.getLogger("scapy").setLevel(logging.CRITICAL)
from scapy.all import DNS, DNSQR, IP, TCP, UDP, Ether, Raw, rdpcap, wrpcap

ps = []
for i in range(1500):
    ps.append(
        Ether(src="00:00:00:00:00:01", dst="00:00:00:00:00:02")
        / IP(src=f"10.0.{i % 250}.1", dst="10.1.1.1", id=i)
        / (TCP(sport=i + 1, dport=80) / Raw(b"x" * 100) if i % 2 else UDP(sport=i + 1, dport=53) / DNS(qd=DNSQR(qname=f"h{i}.example.com")))
    )
    if len(ps) == 500:
        wrpcap("t.pcap", ps, append=True)
        ps = []
n = 0
for p in rdpcap("t.pcap"):
    n += len(p) + (DNS in p)
print(n)
