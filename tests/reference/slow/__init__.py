"""A slow event engine in decimal arithmetic, the kernel's judge; it imports nothing of ours.

Written from the market semantics. Where they are silent, these readings were settled with whoever
keeps the kernel; none of them contradicts a rule that is written:

- At an open, what only closes a position goes first, by symbol; then what opens, by rank (target
  weights: the larger first), by symbol. In a cash account that is sells before buys. A flip opens.
- A reserve is close x units x (1 + commission + spread + slippage + impact as it would have been in
  the decision's bar) + the commission per unit; the least commission is not reserved. A rest keeps
  its part. Orders whose turn at this open is still to come are not kept from those served before
  them; what rests (limits, stops) reserves nothing and is cut to the cash when it is met.
- A buy is cut to the cash at the price of the whole, then pays the impact of what is bought. Units
  follow from the rates; where the rounded or least commission asks for more, they give way.
- max_gross x (cash + positions) - gross, at the last closes, what is begun at this open at its
  open, bounds every opening fill; a margin account has that alone, a cash account its cash too.
  What a flip closes makes room for its other side. Limits on an instrument and a group bound the
  value without costs. What leaves at the next open takes no room and no slot.
- The cap is of a bar: both sides and all fills of an instrument together. The rest of a stop is a
  market order at the next open; the rest of a target stays a target.
- Own impact never betters a fill. Without a half-life nothing of it is left for the next fill.
- Barriers stand on the raw open of the first fill. Finer bars are asked only where a bar spans
  both; a finer bar that spans both, or none, is a stop.
- Borrow and financing are paid at the start of a bar, on shorts at their last close and on cash
  below zero since the last bar's start, 365 days a year. Cash in lieu, delistings: no costs.
- At a loss limit every position gets an order out at once and all else ends. Cool-down, impact and
  expiry count bars of the account. Stops that rest are met before limits, both in the order given;
  those of one kind and side at one price are one fill, the row of the first of them. A sale never
  costs more than it brings.
- Market orders from outside of one instrument are one working order of their sum: one turn, one
  reserve (what it opens x (close of the newest of its side x (1 + commission + spread + slippage)
  + commission per unit)), one fill, which bears the row of the newest of its side. At the open both
  directions meet, without a fill; of what is left the first given are done first. What rests is cut
  to the money that no working order keeps. A loss limit ends them all. A split rounds each down.
- Weights: the larger is served first, nothing is scaled; more than is held is reserved for.
- Bound by max_gross alone: orders from outside. By it and max_weight: weights.
"""
