"""Results as FHIR R4 Bundles (docs/fhir.md): read from phones, written with the clinic's answer."""
