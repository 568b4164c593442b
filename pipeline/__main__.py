from pipeline.commands.main import main

main()
