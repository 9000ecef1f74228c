"""`python -m bench` measures the preview, the embedded platform and the ledger."""

from bench import first_cycle, ledger, preview, service_provider

preview.main()
service_provider.main()
first_cycle.main()
ledger.main()
