"""Words of questions that are no names."""

from __future__ import annotations

from klyx.services.chat.vocabulary import SECTOR_WORDS

QUESTION_WORDS = frozenset(
    " ".join(
        [
            "a about above actually add after again all also always am an analyse analysis analyze and answer any",
            "are as ask at average averages balance be bear bearish been before below best better between big bull",
            "bullish but buy buying by can cap caps chart cheap cheapest check co companies company compare compared",
            "comparison corp corporation cost could current currently data day days debt detail details did",
            "difference do does doing down each eps explain few figure figures find firm firms for free from",
            "fundamental fundamentals get give go going good group growth had happened happening has have headlines",
            "help her here hey hi high higher highest him his history hold holding holdings how i if in info",
            "information into invest investing investment investor investors is isn't it its just know labs large",
            "last latest latter least less let like limited list listed long look looking loss low lower lowest ltd",
            "macd made make making many margin market me mean meaning mid might month months more most moving much my",
            "need negative new news next no not now number numbers of off ok okay on one only open or other our over",
            "overall past pe per percent performance performed performing please portfolio positive present previous",
            "price priced prices profit profitable quarter quarterly quarters question quick quote rate ratio ratios",
            "really recent recently report reports result results return returns revenue right risk risky roa roce",
            "roe rsi rupee rupees sector see sell selling share shares should show sma small so some stock stocks",
            "summary support technical technicals tell term than thank thanks that the their them then there these",
            "they thing things think this those time to today tomorrow too top total trade trading trend trending",
            "two under up update uptrend us valuation value valued versus very view vs want was week weeks well were",
            "what what's whats when where whether which who why will with worth would year years yes yesterday yet",
            "you your",
            "avoid crore crores dma ema except exclude excluding inr lakh lakhs rs without",
            "doesn't don't done fy hai hain ka ke ki kya mein near q1 q2 q3 q4 way ytd",
        ]
    ).split()
)
"""These are never a part of a company's name next to another word of it."""

# Symbols and first words of names too, but not meant as such when they stand alone in small letters.
LONELY_WORDS = frozenset(
    [
        *("idea", "ideal", "infra", "latent", "power", "sound", "star", "max", "min", "bank", "banks", "india"),
        *("indian", "state", "life", "gold", "silver", "coal", "crude", "copper", "sun", "asian", "bharat", "global"),
        *SECTOR_WORDS,
    ]
)
