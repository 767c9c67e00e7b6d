"""The sum of many squares."""
def squares(numbers):
    return sum(number * number for number in numbers)


print(squares(range(3_000_000)))
print(max(abs(number - 700_000) for number in range(3_000_000)))
