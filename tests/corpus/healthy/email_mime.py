"""Messages with attachments into a mailbox and out of it."""

import email
import email.message
import email.policy
import mailbox

m = mailbox.mbox("box")
n = 0
for i in range(800):
    e = email.message.EmailMessage()
    e["Subject"] = f"Hello {i} ä"
    e["From"] = "a@b.c"
    e["To"] = ", ".join(f"u{k}@x.y" for k in range(5))
    e.set_content("text " * 100)
    e.add_alternative("<p>html</p>" * 50, subtype="html")
    e.add_attachment(b"x" * 2000, maintype="application", subtype="octet-stream", filename="f.bin")
    m.add(e)
m.flush()
for k in m.iterkeys():
    x = email.message_from_bytes(m.get_bytes(k), policy=email.policy.default)
    n += sum(len(p.get_content()) for p in x.walk() if not p.is_multipart())
    n += len(x["to"].addresses)
m.close()
print(n)
