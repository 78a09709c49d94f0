"""The worlds of the demo: a small shop's landing page and its newsletter."""

from policies.types import Value
from simulator.worlds.slots import Variant, World


def landing() -> World:
    """The landing page of a small shop: headline, call to action, offer. What works depends on who looks."""
    everybody: dict[tuple[str, Value, str, str], float] = {
        ("", "", "headline", "envio"): 0.25,
        ("", "", "cta", "comprar"): 0.1,
        ("", "", "offer", "diez"): 0.25,
    }
    by_source = {"google": "precio", "instagram": "moda", "correo": "club"}
    by_country = {"ES": "envio", "MX": "precio", "AR": "moda"}
    by_device = {"movil": "ver", "escritorio": "comprar"}
    by_hour = {9.0: "probar", 13.0: "ver", 18.0: "comprar", 22.0: "probar"}
    matches: dict[tuple[str, Value, str, str], float] = {}
    for feature, slot, good, gain in (
        ("source", "headline", by_source, 1.9),
        ("country", "headline", by_country, 0.7),
        ("device", "cta", by_device, 1.1),
        ("hour", "cta", by_hour, 0.5),
    ):
        matches |= {(feature, value, slot, variant): gain for value, variant in good.items()}
    matches |= {
        ("returning", True, "offer", "regalo"): 1.5,
        ("returning", False, "offer", "diez"): 0.9,
        ("returning", True, "offer", "diez"): -0.9,
        ("country", "MX", "offer", "ninguna"): 0.4,
    }
    return World(
        name="landing",
        slots={
            "headline": (
                Variant("envio", "Recíbelo mañana en casa, sin gastos de envío"),
                Variant("precio", "La misma calidad, hasta un 30 % más barata"),
                Variant("moda", "Lo que todo el mundo llevará esta temporada"),
                Variant("club", "Bienvenido de nuevo: tu club te espera"),
            ),
            "cta": (
                Variant("comprar", "Comprar ahora"),
                Variant("ver", "Ver la colección"),
                Variant("probar", "Pruébalo 30 días gratis"),
            ),
            "offer": (
                Variant("ninguna", ""),
                Variant("diez", "10 % de descuento en tu primer pedido"),
                Variant("regalo", "Un regalo sorpresa con tu pedido"),
            ),
        },
        defaults={"headline": "envio", "cta": "comprar", "offer": "ninguna"},
        chances={
            "country": {"ES": 0.5, "MX": 0.3, "AR": 0.2},
            "device": {"movil": 0.6, "escritorio": 0.4},
            "source": {"google": 0.4, "instagram": 0.35, "correo": 0.25},
            "returning": {True: 0.4, False: 0.6},
            "hour": {9.0: 0.2, 13.0: 0.25, 18.0: 0.25, 22.0: 0.3},
        },
        lasting=("country", "device"),
        regulars=120,
        comes_back=0.4,
        base=-3.6,
        effects={**everybody, **matches},
    )


def newsletter() -> World:
    """The weekly newsletter of the same shop: subject line and send hour, for subscribers with habits."""
    hours = {"08": 8.0, "11": 11.0, "14": 14.0, "17": 17.0, "20": 20.0, "22": 22.0}
    habits = {"madrugador": 8.0, "oficina": 14.0, "noche": 22.0}
    timing: dict[tuple[str, Value, str, str], float] = {
        ("habit", habit, "send_hour", variant): 1.6 - 0.3 * abs(hour - usual)
        for habit, usual in habits.items()
        for variant, hour in hours.items()
        if abs(hour - usual) <= 6.0
    }
    by_interest = {"hogar": "novedades", "deporte": "reto", "cocina": "receta"}
    taste: dict[tuple[str, Value, str, str], float] = {
        ("interest", interest, "subject_line", variant): 1.6 for interest, variant in by_interest.items()
    }
    return World(
        name="newsletter",
        slots={
            "subject_line": (
                Variant("oferta", "Solo hoy: envío gratis en todo"),
                Variant("novedades", "Ya están aquí las novedades para tu casa"),
                Variant("reto", "¿Te atreves con el reto de los 30 días?"),
                Variant("receta", "Una receta que se hace en diez minutos"),
            ),
            "send_hour": tuple(Variant(name, f"{name}:00", {"hour": hour}) for name, hour in hours.items()),
        },
        defaults={"subject_line": "oferta", "send_hour": "11"},
        chances={
            "habit": {"madrugador": 0.3, "oficina": 0.4, "noche": 0.3},
            "interest": {"hogar": 0.4, "deporte": 0.35, "cocina": 0.25},
            "device": {"movil": 0.7, "escritorio": 0.3},
        },
        lasting=("habit", "interest", "device"),
        regulars=80,
        comes_back=0.8,
        base=-3.0,
        effects={("", "", "subject_line", "oferta"): 0.4, **taste, **timing},
    )
