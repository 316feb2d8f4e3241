import ArgumentParser
import Yams
import ServiceLifecycle
import Logging
print("vpsd")
