/** What machines keep in their process and on no log. Owns how a process that begins anew comes to have nothing of it. */
import { forgetFlights } from '../../machines/flights.ts';
import { forgetSlots } from '../../machines/slots.ts';

/** As if the process had ended. */
export function forgetProcess(): void {
  forgetSlots();
  forgetFlights();
}
