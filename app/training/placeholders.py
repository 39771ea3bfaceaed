"""Long texts that examples share."""

from __future__ import annotations

CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\nreplace this line by the certificate\n-----END CERTIFICATE-----\n"
)
SIGNATURE = "replace by the signature of the firmware file"
CERTIFICATE_HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "9f" * 32,
    "issuerKeyHash": "a4" * 32,
    "serialNumber": "1a2b3c4d",
}
FIRMWARE_URL = "http://127.0.0.1:8080/firmware-1.2.3.bin"
UPLOAD_URL = "http://127.0.0.1:8080/upload/"
