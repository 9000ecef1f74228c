"""`python -m bench` measures the preview and the embedded platform."""

from bench import preview, service_provider

preview.main()
service_provider.main()
