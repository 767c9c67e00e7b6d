"""Signed transactions are decoded one by one."""
from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload
from appstoreserverlibrary.models.LibraryUtility import _get_cattrs_converter

total = 0
for number in range(250):
    converter = _get_cattrs_converter(JWSTransactionDecodedPayload)
    payload = converter.structure({"originalTransactionId": str(number)}, JWSTransactionDecodedPayload)
    total += int(payload.originalTransactionId)
print(total)
