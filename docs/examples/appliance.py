"""A driver, `driver: appliance`: jobs that run on an appliance elsewhere, which says by itself when one fails."""

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ReconnectingClientFactory
from twisted.protocols.basic import LineOnlyReceiver

from tocsin_daemon.driver import CannotStart, Elsewhere
from tocsin_ocf.exit_codes import OCF_ERR_CONFIGURED


class Line(LineOnlyReceiver):
    def connectionMade(self):
        self.factory.driver.say()

    def lineReceived(self, line):
        self.factory.driver.heard(*line.decode().partition(" ")[::2])


class ApplianceDriver(Elsewhere):
    def __init__(self, resource, means):
        super().__init__()
        self.resource, self.reactor, self.factory = resource, means.reactor, None

    def start(self, definition, incarnation, told, wanted="start"):
        if "port" not in definition.settings:
            raise CannotStart(OCF_ERR_CONFIGURED, "settings: give the port of the appliance")
        self.told, self.wanted, self.changing = told, wanted, None
        self.factory = ReconnectingClientFactory.forProtocol(Line)
        self.factory.driver, self.factory.maxDelay = self, 1.0  # seconds; not to be reached is no failure
        self.connection = self.reactor.connectTCP("127.0.0.1", definition.settings["port"], self.factory)

    def adopt(self, definition, main, incarnation, known, told):
        self.start(definition, incarnation, told, wanted="watch")  # what a former tocsind started
        return True

    def say(self):
        self.connection.transport.write(f"{self.wanted} {self.resource}\r\n".encode())

    def change_role(self, role, asked):
        self.wanted, self.changing = role, Deferred()
        self.say()
        return self.changing

    def clear(self, plan, stop_signal, on_cleared, on_kill):
        self.wanted, self.told, self.on_cleared = "stop", None, on_cleared
        return self.say() if self.factory else on_cleared()  # nothing was started here

    def heard(self, word, why):
        wanted, self.wanted = self.wanted, "stop" if self.wanted == "stop" else "watch"
        if word == "up" and wanted == "start":
            self.told.up(None)
        elif word == "failed" and self.told:
            self.told.ended(None, why)
        elif word == wanted and self.changing:  # promoted, unpromoted
            self.changing.callback(None)
        elif word == "stopped":
            self.factory.stopTrying()
            self.connection.disconnect()
            self.factory = None
            self.on_cleared()
