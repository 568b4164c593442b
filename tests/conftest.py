pytest_plugins = ["tests.browsing", "tests.ollama_server"]
