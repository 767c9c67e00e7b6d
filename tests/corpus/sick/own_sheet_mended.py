"""Budget sheets: each request of the planning tool builds a sheet, evaluates it and answers with the totals."""
import weakref


class Cell:
    def __init__(self, sheet, name, formula):
        self._sheet = weakref.ref(sheet)
        self.name = name
        self.formula = formula
        self.value = None

    @property
    def sheet(self):
        return self._sheet()

    def evaluate(self):
        if self.value is None:
            if callable(self.formula):
                self.value = self.formula(self.sheet)
            else:
                self.value = self.formula
        return self.value


class Sheet:
    def __init__(self, title):
        self.title = title
        self.cells = {}

    def put(self, name, formula):
        cell = Cell(self, name, formula)
        self.cells[name] = cell
        return cell

    def __getitem__(self, name):
        return self.cells[name].evaluate()


def column_sum(column, rows):
    return lambda sheet: sum(sheet[f"{column}{row}"] for row in range(rows))


def budget(department, rows):
    sheet = Sheet(f"budget of {department}")
    for row in range(rows):
        sheet.put(f"A{row}", department * 7 + row)
        sheet.put(f"B{row}", row * 1.19)
    sheet.put("A-sum", column_sum("A", rows))
    sheet.put("B-sum", column_sum("B", rows))
    return sheet


def answer(request):
    sheet = budget(request % 17, 60)
    return {"title": sheet.title, "net": sheet["A-sum"], "gross": sheet["B-sum"]}


def serve(requests):
    total = 0
    for request in range(requests):
        total += answer(request)["gross"]
    return round(total)


if __name__ == "__main__":
    print(serve(2500))
