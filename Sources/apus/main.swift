import CLI

Apus.runAsProgram()
