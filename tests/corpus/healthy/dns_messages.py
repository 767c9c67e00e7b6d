"""Messages to bytes and back, and a zone of 3,000 names."""

import dns.message
import dns.name
import dns.rrset
import dns.zone

n = 0
for i in range(2500):
    q = dns.message.make_query(f"h{i % 100}.example.org", "A")
    r = dns.message.make_response(q)
    r.answer.append(dns.rrset.from_text(f"h{i % 100}.example.org.", 300, "IN", "A", *[f"10.0.0.{k}" for k in range(4)]))
    n += len(dns.message.from_wire(r.to_wire()).answer)
z = dns.zone.from_text(
    "$ORIGIN ex.org.\n@ 300 IN SOA a b 1 2 3 4 5\n@ 300 IN NS a\n"
    + "".join(f"h{i} 300 IN A 10.0.{i // 250}.{i % 250}\n" for i in range(3000))
)
print(n, len(z.nodes))
