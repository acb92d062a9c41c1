"""The pages of the kiosk, kept one behind the other: reusing one is faster than making it."""

from textual.containers import Container

from devices.terminal.kiosk.controller import KioskController
from devices.terminal.kiosk.customer_session import Page
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.pages.cart import CartPage
from devices.terminal.kiosk.pages.collect import CollectPage
from devices.terminal.kiosk.pages.orders import OrdersPage
from devices.terminal.kiosk.pages.pay import PayPage
from devices.terminal.kiosk.pages.pickup import PickupPage
from devices.terminal.kiosk.pages.product import ProductPage
from devices.terminal.kiosk.pages.receipt import ReceiptPage
from devices.terminal.kiosk.pages.start import StartPage
from devices.terminal.kiosk.settings import KioskSettings

PAGES: dict[Page, type[KioskPage]] = {
    "start": StartPage, "product": ProductPage, "cart": CartPage, "pickup": PickupPage,
    "pay": PayPage, "receipt": ReceiptPage, "orders": OrdersPage, "collect": CollectPage,
}  # fmt: skip


class PageStack(Container):
    """The pages in the customer's language.

    Args:
        controller: does what the customer asks for.
        settings: of the kiosk.
    """

    def __init__(self, controller: KioskController, settings: KioskSettings) -> None:
        super().__init__(id="page")
        self._controller = controller
        self._settings = settings
        self._spoken = ""

    @property
    def front(self) -> KioskPage:
        """The page that is shown; it is the first child, so that queries find its widgets.

        Raises:
            NoMatches: the app is being closed.
        """
        return self.query_one(KioskPage)

    async def turn_to(self, wanted: Page) -> KioskPage:
        """Show a page; the others are hidden and cleared."""
        if self._spoken != self._controller.session.language:
            await self.remove_children()
            self._spoken = self._controller.session.language
        for each in list(self.query_children(KioskPage)):
            each.forget()
            each.display = False
            if not each.IS_KEPT:
                await each.remove()
        page = next(iter(self.query_children(KioskPage).results(PAGES[wanted])), None)
        if page is None:
            page = PAGES[wanted](self._controller, self._controller.say, self._settings)
            await self.mount(page)
        if len(self.children) > 1:
            self.move_child(page, before=0)
        page.display = True
        page.enter()
        return page
