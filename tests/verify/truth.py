"""What the five pages say, as a model that reads without a fault would write it."""

NOTICE = """# Hours of the reading room

The reading room opens at nine and closes at the ringing of the second bell. Lamps are lit by the warden and by nobody else. Whoever borrows a map signs for it twice: once when it leaves the drawer, and once when it is back.

Bring with you:

- a pencil, since ink is not allowed near the charts,
- your card of the guild,
- gloves, if you ask for the *older* atlases.

On feast days the room stays shut. The keys are then with **Mrs Ottoline Farrow**, 14 Quay Street."""  # noqa: E501
ESSAY = """## On the keeping of bees

A hive that stands in the wind is a hive that eats its stores by February. Set it with its back to the north, and plant borage where the bees must pass.

Smoke calms them for as long as it takes to say a short prayer.¹ Work without haste, and never at noon.

¹ Older keepers burn dried puffball.

## On the taking of honey

Take the outer frames first and leave the queen her nursery. What is capped is ripe; what runs is not.

A strong colony gives twenty pounds in a fair year. In a wet one, let them keep it all, and buy your honey as other people do."""  # noqa: E501
PRICES = """# Carriage by canal

Prices in shillings for each crate, from the first of April.

<table>
<tr><th rowspan="2">Town</th><th colspan="2">Crate</th><th rowspan="2">Days</th></tr>
<tr><th>small</th><th>large</th></tr>
<tr><td>Ashby</td><td>1.25</td><td>3.40</td><td>2</td></tr>
<tr><td>Brindle</td><td>1.75</td><td>4.10</td><td>3</td></tr>
<tr><td>Coldharbour</td><td>2.60</td><td>6.85</td><td>5</td></tr>
<tr><td>Dunmere</td><td>0.95</td><td>2.15</td><td>1</td></tr>
</table>

Glass pays double. Live animals are not carried."""
WAVES = r"""# A string of length $L$

A string that is held at both ends moves as

$$
y(x, t) = A \sin\left(\frac{n \pi x}{L}\right) \cos(\omega t),
$$

where $n$ counts its bellies. With the tension $T$ and the mass per length $\mu$ the speed of its waves is

$$
v = \sqrt{\frac{T}{\mu}}.
$$

Its energy is the sum over all modes,

$$
E = \sum_{n=1}^{\infty} \frac{1}{4} \mu L \omega_n^2 A_n^2.
$$

Halving the length doubles every frequency."""
LEDGER = """**Harbour ledger, week 19**

The brig Constance took on water and eleven barrels of lime. Her master paid in coin and asked for no receipt.

On Thursday the fog held until four. Nothing moved but the ferry, which went aground off the Spindle rock and was drawn off by the evening tide.

Owing from last week: two pounds and six."""  # noqa: E501

TRUTH = {
    "essay.pdf": ESSAY,
    "ledger.pdf": LEDGER,
    "notice.pdf": NOTICE,
    "prices.pdf": PRICES,
    "waves.pdf": WAVES,
}
"""In the order in which the pages are read."""
