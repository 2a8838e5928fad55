import pytest

from raspisms.sms.keywords import is_like_stop, is_stop


@pytest.mark.parametrize(
    "text",
    [
        *(
            "STOP",
            "stop",
            " Stop. ",
            "ARRÊT",
            "arret",
            "Arrêt !",
            "STOP SMS",
            "désabonner",
            "S T O P",
            "«STOP»",
            "🛑 STOP",
        ),
        *("STOP 36180", "STOP au 36180", "stop au 36 180.", "ＳＴＯＰ", "stop pub", "STOP PUB !"),
    ],
)
def test_a_whole_message_that_says_stop_is_a_stop(text):
    assert is_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "stop s'il vous plaît",
        "STOP 123",
        "STOP 0612345678",
        "Stop, 75001",
        "STOP AU 75001",
        "Stop! 24/12/8",
        "Stop 06123",
        "Fin",
        "ne pas stopper",
        "non",
        "arrêt de bus",
    ],
)
def test_other_messages_are_for_people_to_read(text):
    assert not is_stop(text)


# As people say it who do not know the word, or say more than the word: somebody decides, and nothing leaves before.
IN_OTHER_WORDS = (
    "stop svp", "non stop", "Stop ça fait 3 fois que je le dis", "ok stop", "stopp", "STOPALL", "stopper les sms svp",
    "unsubscribe", "STOP\n\nEnvoyé de mon iPhone", "Désabonnement", "désinscription", "Désabonnez-moi", "opt out",
    "Arrêtez svp", "Svp arrêtez", "Merci d'arrêter de m'envoyer des SMS", "merci d’arrêter vos messages",
    "Cessez de m'écrire", "Je ne veux plus recevoir vos messages", "je souhaite ne plus recevoir de sms",
    "Plus de pub merci", "Ne m’écrivez plus", "ne m'envoyez plus rien", "n'envoyez plus de SMS",
    "Merci de ne plus me contacter", "Retirez mon numéro", "enlevez moi de votre liste",
    "Supprimez mon numéro de vos fichiers", "laissez moi tranquille", "Please remove me", "don't text me",
    "Do not contact me again", "ne plus me solliciter", "Ne nous écrivez plus",
    "Pouvez-vous ne plus m'appeler monsieur", "NE PLUS ENVOYER", "je ne souhaite plus vos messages",
    "retirez mon nom", "Je souhaite plus avoir de sms", "je ne veux pas recevoir vos sms", "Ne\nm'écrivez plus",
    "Stop au 75001",
)  # fmt: skip
OF_SOMETHING_ELSE = (
    "", "Fin", "non", "Oui merci", "Je serai en retard", "Je dois m'arrêter à 18 h", "Je ne viens plus jeudi",
    "Il n'y a plus de place ?", "Pouvez-vous m'appeler plus tard ?", "Mon numéro a changé", "Envoyez-moi la liste",
    "On se retire à 20 h", "Je n'ai pas reçu le message", "L'arrêté municipal", "Je m'arrête au feu",
    "Je n'arrête pas de penser à vous merci", "On ne cesse de vous remercier", "auto-stop", "Je stoppe le traitement",
    "Ne m'appelez pas plus tard que 18h", "Je n'appelle pas plus tard", "je peux plus recevoir de visite",
    "J'aimerais recevoir plus de messages", "En plus de SMS vous pouvez m'appeler", "J'ai effacé votre numéro",
    "Plus de message reçu depuis lundi", "Je vous laisse tranquille", "Enlève la liste des courses stp",
    "J'ai changé de numéro, supprimez l'ancien numéro", "Arrêt maladie",
)  # fmt: skip


@pytest.mark.parametrize("text", IN_OTHER_WORDS)
def test_what_may_mean_stop_is_for_somebody_to_decide(text):
    assert not is_stop(text)
    assert is_like_stop(text)


@pytest.mark.parametrize("text", OF_SOMETHING_ELSE)
def test_what_speaks_of_something_else_keeps_nobody_from_anything(text):
    assert not is_stop(text)
    assert not is_like_stop(text)
