import ArgumentParser
import Logging
import ServiceLifecycle
import Yams

print("vpsd")
