"""Invoices are built from a list of deliveries, checked, and printed."""
import io


class Invoice:
    def __init__(self, number, customer):
        self.number = number
        self.customer = customer
        self.lines = {}

    def add(self, sku, count, price):
        self.lines[sku] = Line(self, sku, count, price)

    def total(self):
        return sum(line.amount() for line in self.lines.values())


class Line:
    def __init__(self, invoice, sku, count, price):
        self.discount = 0.1 if invoice.customer.endswith("7") else 0.0
        self.sku, self.count, self.price = sku, count, price
        self.text = f"{count} pieces of {sku} at {price:.2f}"

    def amount(self):
        return self.count * self.price * (1 - self.discount)


def write(out, invoice):
    out.write(f"invoice {invoice.number} for {invoice.customer}\n")
    for line in invoice.lines.values():
        out.write(f"  {line.text:<60} {line.amount():10.2f}\n")
    out.write(f"  total {invoice.total():.2f}\n")


def main():
    printed = 0
    for number in range(9000):
        invoice = Invoice(number, f"customer {number % 700}")
        for i in range(30):
            invoice.add(f"sku-{i}-{number % 50}", i % 5 + 1, i * 1.25)
        out = io.StringIO()
        write(out, invoice)
        printed += len(out.getvalue())
    print(printed)


main()
