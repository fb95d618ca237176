"""Letters for images, so that a PNG needs no font and has the same bytes on every machine.

Coverage of DejaVu Sans 2.37 (free to use and to embed; Bitstream Vera and Arev licence), drawn once
at two sizes, 4 bits a pixel, one glyph beside the other, each one pixel wider on both sides.
"""

import base64
import zlib
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from touchstone.arrays import Float64, Int64

CHARACTERS: Final = "".join(map(chr, range(32, 127))) + "−×–·"


class Letters(NamedTuple):
    """One size of one font."""

    size: int
    """Height of the em, pixels; the baseline lies so far below the top."""
    advance: Float64
    """Of each character, pixels, (n_characters,)."""
    first: Int64
    """Column at which each glyph begins, (n_characters + 1,)."""
    coverage: Float64
    """0 to 1, (height, n_columns)."""


@cache
def letters(bold: bool = False) -> Letters:
    """The smaller ones for words, the larger bold ones for titles."""
    size, height, quarters, packed = _BOLD if bold else _REGULAR
    advance = np.array(quarters.split(), np.float64) / 4
    first = np.r_[0, np.cumsum(np.ceil(advance).astype(np.int64) + 2)]
    pairs = np.frombuffer(zlib.decompress(base64.b85decode(packed)), np.uint8).reshape(height, -1)
    nibbles = np.stack([pairs >> 4, pairs & 15], axis=2).reshape(height, -1)
    return Letters(size, advance, first, nibbles / 15)


_REGULAR: Final = (
    22,
    28,
    "28 35 40 74 56 84 69 24 34 34 44 74 28 32 28 30 56 56 56 56 56 56 56 56 56 56 30 30 74 "
    "74 74 47 88 60 60 61 68 56 51 68 66 26 26 58 49 76 66 69 53 69 61 56 54 64 60 87 60 54 "
    "60 34 30 34 74 44 44 54 56 48 56 54 31 56 56 24 24 51 24 86 56 54 56 56 36 46 35 56 52 "
    "72 52 52 46 56 30 56 74 74 74 44 28",
    "c-rlodu&_RdBD#lDL(aJfjsIsme>w!nl`qC0YkC6vlMLWIv_Eb4c)MKDCHGf)&@11ESm<W9n~a5gC?!iF7y6~Qz~6s7e"
    "QjmYv$UOCCVFyHgO^<-or^0i?ZD%ttI(NvYvdMeUEc_FJDp=+bPoWz$SUmJ@=k-zVkcZ`M&QQ2~kh=R8RF(PxVw!^;A#"
    "wR8RF(PxVw!_4Hm%zNNYhFnL$tqiL#fj;=a;8<si$0Dayx`)&9<?8o2Q!P)Q8kESX3u&+YSG!?QftY1Z6mk<rly&l4+_"
    "NVFn4Np$K-T~i^$0jHCa;Z2r#3QB5)8+ojpFn|5xR&_(TgPS|q6SUA(6y=leSY$F^}u!a{E?BF#vX`9sOyK+Bgd1I$FM"
    "mmnLmD?x+UeJ`tIfuFJMC(5gQ-&Ar(?r_+xw4&lh;TN*x)+r?Jc;W;&mpJw#QdWZ}g?^&IWsrBjaxO;TEcA9!1Kh<HCq"
    "alnQdvCGgH5K-_v%4|?1@n+|O@X=E_A==?lF~;4L1N0rvS|y^51+15{Qf39qZ^v`8qoS<t=l|-udH&t!);WxF?Zn;(C%"
    "Uhk{79F3!9u=v_MTb5lqbVB`LYZY$!|OdA2Foa59IsTtKuw<TRx3IxTU0*1?7ysOoY9m=NLXo<mZNlenf=JQ+lru9~~M"
    "RN{_>g(Q~N+jDRgYlV0AGfaDvJ&=Y$Aj5FL$ha^ZFb3-HY6`~4CVKY*vPRPQ2d~0av2kN_vN=)m8-dg0_(gVUIAHiv6^"
    "2ZhVT0)M=|DwB4MP&{>x?4`9vqBphI#C!JI%<+1JV&&3i8Qn%0b+7zKvF=nqYw}~@MWo}a6?0fl91W{)?c%-5#pZ20C!"
    "g(u*zin=qAYT%znjxP082a*<+FEhYa#RoLs(g@)Ld^sYA!GEIciQYf(hH#kN6K-ABX?Ciy|YK(xZh+TOA)xXx3FKdCwa"
    ">}xQ23ZVuaP;vglN2!%}J}hp8VG|7<q5%nqdG#WZZ>+@0Bf_q9brOMF^J{S!FkjZ+pm%JB{BMXYw1{lYeb)c$iT~j~=Q"
    "Bd-@7*{befhn@{`C%m*dEUclVaoBSNL;b+cR2={9PGK*%aOhr?7BgS&`pZxJ&FL<q0=$%KOW63Xr3vzbVA;Q=@aFb`0{"
    "Hu(}4oF%FWLz6j4QV`&%|_;$j}+&R_T7>q;vxIqLA5)r?9`L;~Sfc$(D<i~oel<iUfe}UvDL!#KvhU}G-|AuHG%)@7n{"
    "}m`C?;O}aA|9~RWssi?7@*$qpGz+>q=`Va8r+M_N`&4_)X*A{j4Ihue*EKB@*8r+$8EUKw7^Q#4)R6y*VkXAlG{tJ9K|"
    "W9;R_I}Niw!l)Q7gqw0I$^E)-hqB;E@!%{Dz+Nqz)Nh>jZM+x31c`4QkP5kc}-@{0V}X%x>WKc<2DF3$;B`&>powb2Vx"
    "6y9lH9f9`ax(uR-qvVnUXzZx9tV@wkL!`)eT<X$N12qBIfc$v(I%R)><fj8B`L<l`ayF#Q-n|j|+M4Jj9`(Qhga#IX_F"
    "nr6mrO)0<lAYQ@#nsRdU18~8=-jTyc#b>J{zuzszGuayjJp?OfSrhb>Oq@(8SmPzl*2G@uC*{TB)ny&4et|00+{?tJ2o"
    "XTqDgoL=|zf>4xh-6C*ZWLB35l-dB};S~yJd@0b@_Hi+aeg3OS7n~oA{H68=wq%udiGBwDjx!=Zf-?bP6^9SMfWYE|VV"
    "#kt5tC87(A|&$NizfNIFQ7mwhUHVkv;RW$I!As&isJ4ubfL7zr$a>k-Dkgx!jN*!%#;m>Cpt>49WQt|NPf%Qp4l&pJ+r"
    "t(w9MT-`vZK(jU(ihwanc+^JTn#|Jc8^Ows)`Ud%iJV*y5}U$ld?;EoNK=cWaGA<p8qDKhFj8DS#}Qh75(d)jZ3ujSYA"
    "=W%RyEz~04JKz}<hHsUnNkn$OXI=!OjpJN0c;0vf<mp-|8hqN9^7pMre)|AvD_Wzi<i~j(wb8h3dxgo*4*fHBsdMgA$J"
    "KOd#s_>LesuIu-?uL*Hk`&(zcD4BF12yeg(u9JhkXa5?fM7&53o<3>JE<^Iv<d56$MA+x6D_NZ<eS={-<TMg#1q~3)eD"
    "}-+qqB=jU-0=`k==Dsx0bK2V)}S{-p^Y+4lF`Cyb+JuUqO5~Z`SMah9RJCTnTrXt@yi?5AWER?C46fO}$e*ODN^fzvk6"
    "T?u)Z)d;yvjRC<Z^$EHeWecljhQK9Gy3@w@-<j;nEcgzD(B6ou;P}L!Whm<hdz_0>(z^o<)I(;^s&QzQ&jeZUrWFK)d?"
    "X!Ccn~CB%kaGkeqi3Ji=aTKInu9_+kkVP<T){dwP2GO_8sq`oT*K)goUN>iObo&t%WvqR<0Gz9ai<V}Y2`h^+;Sf$du?"
    "T0md;$IDN3uR}h%!8mTdl@jtbve%v9m0=&^U0x%$gToL$1v8LMmhco!kBQ-*`+0o`mXWXBE3*_IO7P6ZMmWAEUsa8vu>"
    "mvAmX>e+OvK<N_JY58kx{kxT~MovNj?%>M!s318u^Lk63Zxcdk*}6Cf~C{<P+gwlJjGBpt(FJfGB6~s!l%6(-er<vnrZ"
    "LTL$PiMhV#eN~DxV^HQvU$fu}+Vdqy*e+a7q7L^y+oJxM1%sF`XE`&S|4$`V&?HHNz|HMt167p|eQPxgNq05$fxx=obZ"
    "CVIv=v+6g3P(DG*BwLv=svqXMfX9b@TA?ab`0{#Q0x}YRnd59RP;gJJ1*N06ci_$+pfId(78qO3+tFgH)q7|s&QP;ish"
    "ndT<{nt&K#xhee%C;${(_&l0eCIivDJnc3)Iz&)XIpN7f;K#Lt$Ex0HM@sU^3Ry{x0?w)3;^y92$wh<xa}G^?oueQlNU"
    "49-5N7C|!&9pN}EkMbOOaEKCL{6RX$E73L_D*Li%eDeeQRz)Yud=39`$TAx+T2dq*EozEpPVsk!OEhq>hbC7k`Mms^<a"
    "Z?kodZn1t>8!Uxdw-%$Fx7oR^*Uqc1p<+*mCk=p4w3=kl)$so6<PM*2rIChm4y3twDagV<Yl$?9ui^`KP*I#VI;io`SM"
    "tQLiHTnCT|+qim2A$+sccOg?lWvdHD}H#P%jEUxw~tL*NC;dgwB?+fpu#m+a#Z=I)ZgU!+Q%)Cfp3?#oDrQLLyYc@;|j"
    "a>}o$xHuwO8+}0D*y9_&F{8GgxdQZJQ3b63mobG4dFXyJA5&K1M7jQ8&<A<3me<9{$e~IxYLW=SzQeBAuGv`pX7#pY$k"
    "xlj=A{2@+2aFTjynVaB&RnGk0B|f~r0F+ixwD#IT%tc5l@lJH9246x|5t0tTa8tD?Qz1gSAMG>m1ck&n^LLH<6*C0rcf"
    "#~UMMI)AB*{9tci7n3jgddta&iF3Llhll1v2Pw2$K|ah=&l<_X9}BrJI}`%4yTlYD|JER%LT~Gn|H+;QmsAC@UQ)pd2Y"
    "Z1vvPg6=$wsEYxhAdT@A|3X;bIIT2<*n9{JUk2^rC2k?-m$IkUi<}&MCeR&Az{qe1O22p*a`+%Oy5q;uMl~ttlOCXQ#}"
    "Qv69c)(J?&pPeObG+US0X5)*c_3TqqO8FruBx)MY{u4>!oW&HyG3Wr+X+y|CcctG@>2CIZ~+f@7?TcsT-vo)|~&pe}Qa"
    "4jqRd?j|iCvVIVycZ9d<fEntFB&CXL_rfw^c@Qn1(%PPbi^yaQ)6Ur(P>5|kSf=l0He*$I^QrJ5Y?NqmDbL34Qr=qvAV"
    "VM#|*AXe$)7@P~^AHBl-M10i8PaqXWe^vbA$+L>eyCM~Gg7{D1<}FwaD~E8%yn(1HcVQT)8cHd6krL4Nb-M&#c~+hwdT"
    "VQjtJdi+A;!ApY~V)BhlqCV}nkk1&hhYK7+rIB9#-89dl2W3ravLVCQZBu+7j2HRCKsou29LK`q-SH2uHBdjd5h&Uve="
    "8~5?P@<LY9-%AaL2%NnLdHVx%F~hZRzj~_`63ReKcwz-*JCY7C|o0TK&LQWkpW|GYu;=f!+BJ%!*2#UrZKjr&&tn82fM"
    "^MsZ-0uO&_!MNtF5YB7>OrWT$#+LT1A7ICBUVPodl_dn87;;4hM^QxMSCDxAipv*;!!Pp}CVQ6A<VrVEms8EHmbC!9yi"
    "xuRvDNu|2P-Ll;eD~U_(PQ@-cAIO!4JfXnJm*ex?)921BlN8Jl}j$-y)#0~un0XF_7#fctH>pj?_Jn{eA}f50&Xk$%cb"
    "OJz?bal*oge(=@Rk>H$%STL9!Z)<l`NY?x6OE`_GEA9O&!hr7Rwek(MO^i4P}#Y9)Vn_95PU{jIbSZ81}LnmtCH4cMwm"
    "vM1lu_v0Ss=zzvPgy+17`?WQOyzip1LKt>_Zw>Oz)P~kZ+dTg-lJ6@9GALfBtDq7M7j(V(vSA$s=Z%=Zv08*jOYOM3_5"
    "8!4eAT%jDSym0Jl18kc21$qppHZ^w^8M57s-z-RFKalYLf4ip%U_K@ODMMrr)+GID#*>Et%x2H!c|-Zpa$yRV-ssGBS)"
    "Xtcd&vXoE2h4+qcTW|mpn!+YV1{Dzec$j9IuN!YM<Rx7O?Bc5+sJLTkiDX?0L{F>Gd8w}z@=nfP4ZP4iUDFTX+YCF9q;"
    "@jtWX?umcg*({7m$e1~4DwkJ)s1~;p(A;6qul|}i9y5uKVZa-qKf?BE4Zo*l*V=vp(^Ctey3!c8Q+K+g)Ae3UsL6a$W&"
    ">NDKW@`-$qr$=_#}zTNe$o47H`|0m@%3-PhIbm1;H^J!21dZRdGmZVa)`53v^}9L1fi{>q&!+Uu%Gz96M<k}r~j#Z@l$"
    "thtjlXp+zScd>IS2luBnW5e1QRt#RUWuvy<MEeTV(T5ujKtxD6d#ZFqSxij6HnRcws8Cy1l!u${V9$rl4fb$z7V;fM54"
    "W6r5x=kw`H^w{j~*`S{-ELE&KW};QsGH_Lku}+pQ0_Q#<e98MxhAbDlcumRazzc6vSm7?s~@@E~uba#SZIH%k%(`j1aQ"
    "z6$g~F|B_JFjxW~%X6OauF*BZDL4GmLPJVRKPkZkHwO_>KdzH%nO}}W+qbB)qy#-e{JI2LEg`q9Qwl${1(Lt6u$99VK0"
    "O(~qS(d5rWEV&IY-zcwXFHVrgxgzW=Oa?SJdAvTPcMjlxhkg@n)2|L9W}`(rEekMV&63tjMEFBFwQFQn{xr-CRL9)t+="
    "%S4$G|;JD<SZw_rJL0WSkW!W7W<W{Sa5Ds7itR`Pi)*3<bpzb(1KkxFtp5-O_MD?U?Dj^HiDsHV!SBp;(5HOX&X<=q;L"
    "V)hNv&Ps!Bknak>>_u&ZQUM3viFbr=Eyp3hdC^98cWjil`9uSmM$SUOa&+kJ#PjKi#L4yJ`NBIdMp#7_4xLKUK)PVu*u"
    "&M5`4jTE5!1Ks;npS}#HY@4_T}gZqaDn7jG2TnMADDnC-khPA;H`U`6kWOe2ONAvcVnt#4uLv&JWY3Rq0L^jM2ZBDzqm"
    "oJ2te6!GK)f)A1KwyzS5SJ;iotBL02hC7I_FYm?@QwWB7@wnPE^(5Gvj)kLLF&-`mS`Ofn5X^MO;kw2loW#nLd#wDkRx"
    "$~-HPB}Bio}4;j$0tDBD5euW$7gqp(oF^B<S6pP(e=sK^w$y>iTuP1X<U)E%VSUBPFDWl8bZE3|NZ@WgM1^il6(=nP@8"
    ";*e(YN~Wm_`2r*Jgw>DN+4o!^*!bOe!zUF`A0yq(eU4)mGN@<K=Hq^ljk-9=HCG!9!Ex*ws<>}0vHZ=Q|FZyptDm-|ms"
    "l1>qe9q?+7Y6{1}=|@Z}h0g7`m#UHPS+<bR2B&dK*`ea(xMz){c*ApriIAlsHyB5Ep)w-Yr<!-`*vvQaH78~d71{8-ts"
    "{C&zPWW=JoJmP`NE5YsqJ&=nZ2U?l=6y6KAuv3@&1aPEObZc2P*wW<vx^>FVbbFlnwjP`K-<g40DiS?Q^Nz0l!ss?3|o"
    "^UY$~zQgfkS#qsH+51Tt&x`mybBKfU@8^m_Dq}OgC@?B{<y`UY`U&GT22lMxlZ}E6K_pm`eWZs{vPCl5?HOUtrnVjjS("
    "+gk9(dmUPsWU|n*YOzdUTncei=F!al83A5^K8t3=Yjd?8#yVuL&Mg#>C+2r{rfj@BItV?+^4{Pb5&otY1}%q7R0qmCG~"
    "8OwA457n8U!;Z9&@=9Zc8K1J^(*ihSSv#yeS?NzTm1C*5kLqFpaIcKObZsFk{MskeDzZS!d(^67kjq`Ru@t!}R?dd<jh"
    "4{f6G*1{vdw_iVbbz9IkdPR?KU%M7k!SneXtybsruROg^h+T_i(U9D`OMdyxD><c{xtanzuyGtn1rXjNX%E;o-@Ur89F"
    "d_bdfwI(xCZ3QqWzkdSBd=39C}QaYB2j3m)}+LZ%JGz3)x&W|1#z9vZ$wZ(sjRk`&E8p{`vQm06vK69nH0m57S>jSyk{"
    "%^j#%CI9>MlNLT*Xi1qZVlI-LHU;d@)Q)hpDT<d8=hx*f)?)s(b(~a-Q-28tlb(eG",
)

_BOLD: Final = (
    30,
    39,
    "42 55 63 101 83 120 105 37 55 55 63 101 46 50 46 44 83 83 83 83 83 83 83 83 83 83 48 48 "
    "101 101 101 70 120 93 91 88 100 82 82 98 100 45 45 93 76 119 100 102 88 102 92 86 82 97 "
    "93 132 93 87 87 55 44 55 101 60 60 81 86 71 86 81 52 86 85 41 41 80 41 125 85 82 86 86 "
    "59 71 57 85 78 111 77 78 70 85 44 85 101 101 101 60 46",
    "c-rlq3v^sZd4TWTUF}M%*B(ehOJaLz2?q{|rJT~{Gy$Xp<<S<h3I&=_K%%sT5Smp&e9}Nbig}y^p;@OV4_fDR1>_K)69"
    "<WB3Bq1Mfj|<x;!&V6$Llyy2)474t>?a`^Z)<+bLZZ@`%ol1PT4uf)@tY8xpQa!|C@jQ`DbKVt<*}b)Jm<?O0CpNt<*}"
    "b)Jm<?O0CpNt<*}b)Jm<?O0CpNMhf1vt<?yv)Jm<i&Xg8|twuPdQ|IcME*}w3=>J=(mDZ7xLWqL?tw;VQ;%tB1=)E{9e"
    "pFS!xG2^tyG@9L-tR8hC&X~g0_bx@h-r65orj!q=@t6~YI9H=gC7ZT^s5_Ic2+FIk3KOR#U_%;7RRk_-J}{M7aTZpEBx"
    "Fl`qek#Jx}kyNBz>LZpexq^8aqJ!qPCmhRTd%pPav^{GTK-!E3TY%u=N;|7LFg-E`UcJNH$7d8f8&rGSmnqcKs1?Dy_F"
    "`p6CPLoa<xuW5hkKxO}Sy6=pgPyb+eefIPR4;=kLT>p0S1H0boWab3*7W9`)&V`{5>^rjSBKQDbKf3FU##KU8R0bp^>g"
    "Vsy?ca5!MHx%<W0CF{_5KLR$L`SIsj`l7`7!z(-kOS#EpqjqryqI0QH3MBR7I<D9=(gTaA)r5BOi-HH*;Fh&lDi5QLcP"
    "Olr1ZdwWfTj!Shy^5QpFid6{eHsLLWijW%6iOoJr5R0WdPifa2~s<=*&M1(lCKyuSfH*9Qy(7JAr2r+pAK@yT}+y_1B0"
    "!dgtwG16O#f%7`=1#gm5~j`$>pou-NHS2D7elG5F|t<$gJc}V>*oYIOg~mPb^C(k!|<`>1<CC~S2>)67aCk&+sX7BrYe"
    "*tzQTE+uq!S^sCEqDU6l!k7ynuxBp1>zpKA&v=hAcBAi;V}IUt!eKyn=x{#mmM#eO5_b7szONglIYyP6<rQ^g1H;Tbe6"
    "Qi!;Aczhs_+9z>y9PgV&0g_g%A4pO~FG%F=;>l{0WNdvPNt|jR!B*YKwAlwFizg5y5&2=H%(QrQ>8}+jo|=LyLfVErS5"
    "$*!lQKs0_<b-AAPL2qtcwlrXQM)jFM2?dBKewdKvGu4ru;y1rtkwvL}`js;JVr|k42EihN#*~B~eL4*##2SQfc~S-r+@"
    "MxE@H_g~OqSAW;U12PBmks<Z~lk^_=6eX4-gg3cK=bH<Ec>VZTyO+k(F$DpapXq-S-c3~fmV^K-`9HqX=!0jH86oy`BS"
    "pya9=+Mv`7$lpZUhyiEWMO?ENr}p?o8teUK_c7x^A{T+Iqj<a##P=2B%QK*(`x+u15lRIeK?}UBk*RMG_|EleE&fYNRm"
    "o5(^%E6r(((ZU}l0Y84wL-5@C?E4#R**i=!TpEIJ?&6MAM-4H7Aq<!|OqkSt;iMBz5NL@HGI-*Tc7TQ^9aQ1vU`82{rB"
    "X#w8?S%WT+EK=iEfrQ?*7D%Sn0up7Act8T5+YOMEHAob-saRdnl9^*x4m&lFZvrGKd>C9XjX7~_t$FN@VQhs%P*8~`II"
    "_{g$af8r3d+(7S)592x)ez4tSC4JX}y{9nn04FSFKgRO95(DU}&iSc?*&hyPSeN>mK33uE89hY>L<#LDC}?Kut^oBu>z"
    "w*`gfP<h7}SbF2LR<zp_8WL5tpu-Mm#-;OU#ak&ja5(PF$6Zbo(D-FNx#)t;V>bqX>J|*K1zb<z6lu*TPGC=Z`A(>({w"
    "UUz~`!XEKWco`X=4gJ@FB=ao?*yagET)lP3f$sT!|mp8Pk;Wr3si4+hyn`vJJ?<WyBv)JrD1=rR9x1(a{ndo{sMtyWeB"
    "`L41$kBRV|ev)1XCMEq+|y&<se}An}4^j?7vH3FJ``fVJ<x<v$ejunO1GFV#7h{tG=_BB{9TlJ{g~M+apk<qOIGFY<t7"
    "fPSGLTL2zGLMcH78PbU}8<1w%m0Qsevf;IdlGLaQBps?5HAp%|W$-oHAl)#KWQnFt74ZB7$rQh#28qOaGdJ$V!TH>8tq"
    "~*xB4(>6bqNg;kPrDUNQN)D6OD-hfh54n(~YRJ(NpnVt4WXm!K4);MP#e8qAd-Qe~#1G#n*PRB&5ad8YGj(Y;epoI~>D"
    "n3ph%Sp>X$uI6Xniy2JUQ(ixdbbq%}3!-o7`Z?Pj$3Ozl~&X#z5D+vu%s9z2t2<r4Dxb6<dLR*e1;pjf|LN%HwVK-jd1"
    "W3+hzl;YY3kqxuk|!7>3A8u@%B4+rrLlc{aza#kl;|6n&~|Ced?taUi#Sh)Nf$J1M3mw7aT)_*R+Chn6ot3SIIj=J(5M"
    "5F5RL%`NTy^9+8N<5*7n~#aG?CqsMhhf9{9Sl5wG6;G<x5y@PkLTYmi*ChrG*Snl8JuRRJ;osZA8ykiM66oqo~Y$A_)("
    "p2K5GaHrcIJbbINwRawP<j(3kc^-9bP6}{nckbvnZq%0fB)sn`)^C<Ah&C7+x&ZMJkm7dekWK7lAC&D@veXT1+cHQNJR"
    "s>2q6w3{6FpLaTq(8&kZ5}w>`+<p!iB3ZxcnD@4YEi&9Su#3k{2Wqc2{-K6az@|U8`A;Br2$xE7(V~Zjh*!(C^))GD4!"
    "%Qw@@&SvBk?v~W_;={;D-1QZn@b@BtrTMcNLAQ8nYUEk!?Y->q7jz*Q2@pxW=mO-NYi$%-Li%q1TH9#_DHb4WA{9T?cE"
    "Eh<MfX|%BI3QVOkYq@gH<N8ZcMYKQ`sL7SY?s?5=?@Zej>xALEahO0iY0jU3>jw98d=P%PJ;2_Y@=N|mGP!PV&#v!K+="
    "I<M`{=XB){b`rL<>iuly^ucTCo}a)|=TtKr-Kb%6vX(c83kgX{mN{veschR`7SvgF^21RQ~1UihUfd-KV`eupXse2YKP"
    "{xauLXF|h60qFGg1xXL86{5TyIw%Tl-U;*w!f+uGyn=n!kF7YmVIZmWgJiD*B;#TpR&8wdkt|wCM?<%oi$?^KDEq_0N|"
    "LXW6P2bxk}jYFWD&dJpbtpWjwLp(bY_z{?ttX6$|KuVlP$k|@BZzEy00i%AG3*nNd=N+Uyy{rrhf`w<R(t&`IM?!xzpv"
    "=!FFl~5xDK}@T)FT<EQNAxwMjX)UbBKMUP$-HnC8u4U)XjtL+Uza=W=u<bY&Rc8dHl!XPOERj~-09I?>K4$Jybp8ayPM"
    "KawGBsR9Jswgh`_K0WlLR)a;XgQ>(fqR5w>88~K7$m$*s6dh;&+u#fS1v<_&u3hevh0^_({6Uu&;kiqSZk{W31$~ryRm"
    "?>FGxD*<upk4!Hs{#%LDSlAF5d;FF9g8WRW@k?0!@+0~Jv|v>G7kK&kJ6h6q7Tdf<Xy>;Y-&#X9h!c9i2S@a@KcMAH9B"
    "@N#^s{xt}a(}rR}bR)Szk`~8!`8NTpHnTPl57ayb^g_XX!9R&%#VR_u1N!;xLYeYSfh4zxHy*=U%=>^Ot5oyCnY}{sF)"
    "hY=T+Y@zNc~EB#ewAIm}O~m@!K?Iz^TouA4pyfef`y#F}V}!#oE3gKmNi|?JMX#H_Pc5%qy}BYViQ(PYFd;`Sa14JZVb"
    "8&_d=#4zEi%8o+%pN_t<VC87pMv;*1=lKHHdh>AjjL2?`}!y-Z|;wwl`p}TNJ#V;pBlXlr9<$Eq_01^ry=^!P+!J$t~P"
    "l>@GgEXlZf!F~(=5!YMKNuuDc6I5Pf;uTw`NpSr=81x!zrV~=4{gQI>RrnFlq*|8^LMvlQ?$t*D$jfa1w&_#I~`FCk~F"
    "!GG)OSz)l8BX2(dqbn)~y7r&Fgy)uSe%M*nkLPHIYIMvC~%%$N%#K_t@%Jkk~zr6GS$U=3s=?ifKp1+c^<bYO5sCJmBI"
    "6-c_9X;N6htHd{Xy;9McnL(EW#=Qb+4_zu2hDOAjhNzWFuje=t`SzuF)Up1f%AJ@oRK1VI-p2QSrC1$b%<?UbKoW$xdm"
    "Dq~cr{4E?0y2Jsobh&HkKPC@VdONv*OH1s1E-G-~L*ys(i^hM~_h^NbFl+pm?Wc`GCZ-!5LY)!4P`riIElH!DAx7U?tf"
    "0iTAjdOUvZ$cN&mEl0k{|2T2(9G6eE4+yqEgEI*JW#lb$Ypg}U9l1<Ep--_z33g2~pUQNEeIf1v6Dv&YpwOD<Si~y*66"
    "xqNaOp1wdF{Vw;s9GJ;=1Iwj=Qw1UAlagXy(y3c2WhrQx-WhO4_cr`zQYPVfMQY^gbBn!{9K6fyjM9}&1_k~%1f>=S9~"
    "3iv_s)8kh~LSPycm#p67OA`)Rbi+69+(P~Vz$@;s`%?W!HJ-M}^V!C}MMYJf!EvcOK$tW=RCXv;XZlbj$fDsvC>H8r9-"
    "$RVec$^l82WAECRy$gSi`Z=C5;wL$8=x~pFikqr(4M${+M=E;uBFdkqXQ3}CQI56UOD?1oSY@kFJ;$>!pktb`c{UgOlk"
    ";uhLV_7WTHLQ@2ugn5ERzAXcIcxB+9E-Ic^61tYpjEa)i}*;4tYQVmtfGu4|Q-FT(8~%M7BJtjFTTKvo(U?=O1k_OMN("
    "Q`GZ830nhoGHp;(^+H_3z^pcc<1*^Bn{-X|6cZG-*HAs$nL6WKik_dhicI=b-Aer?A$!4*X60;6SHp^~fkSr+?tGJhc{"
    "d33&yaGQL;&nlS3>i`Fp2h)ua6n8)c{*$hW0IFNehK7x*_=VbZn>`JhEI~332tl~6+1{4mTjr&>}HhDAPQS2Rh&R#W)t"
    "??sad@sk@y*Ofn*sy=`r%?!-cERwa%<Hi=T};c^~y70`QV|)y4$LxcqFBcRnSrOqbD5y`aTxl0FsTqB-3`qn?#24U!J+"
    "od`?`Tu8VOFZm-*s=?3VXw=#uNjlwW8DS&^-6J4BgU0Lw9QhRz>RBl$69GdtWHYR4uf#L5>cbF_7K!`mqf(Dq(~~*MUb"
    "-O5u?dop4xdTrNYS*she7h#`{OUoplH}Qf4M@pQbye<OZeR<)mW?IB+7mc)$&K`iD}?N{2DL;KrPB1l+89N;lE&YmuPO"
    "atj#Lc&mW(7koa39?V^+yqYg-<)W_?A<WP;AidvbX(3azMLDB(&Jf-Xm2?|+ItVbMVD-C@X%Z7VZ&uq@p-!n)eYBty$N"
    "P_nsfZC~PL`-?u!#r0ehmD$a$#1`du>lhrBxW`g5VwqF6$2y{4zAT8nFp~eu%n;kcti!nR47o_T_^9OhSe(F*SE!Lf@F"
    "&<Fw8-R1uMIfU6r!-4A0wX_5l-?Fi&&a*|xkit@S~JL{_2n_i;VdEZ+1%Vog@KcWKz!>cAZjNJgj@M%p69I>%VN&Iw9V"
    "Mni`v-VXHuU$Lz1a=Y2RNiE7bo(s>{7}%>pf?@e#p4u!_fh6fTckMsTU~7idG7M@>%(3Gz{Go%P9OTjl!2O({5$_y$dd"
    "{=DqpCX5Kv=I+ub~&0^0TrQ!?HRGBs4*DT)d;!%W~}Fo$#63^y@g1i;XyvI5x+M3nY+n*&2N$0c>{%ByvEU#3I7nwFFe"
    "QJNjKYB?lxEJiW^~bCDV#fgZHE5IL2<7z0O+_pxob*^EvN7(mbHUS?qmi23G0Vk;e>u%R-kF*(2W*f@vpchK={ARGuJW"
    ";PWd-{hHUkZ5yPgJcfgeVLbNshkADBgL&7ch$-BDB<{vO4ru{iIlkEP7+|r6k9B&%RzR#Wf|@Okxp)`q%z|}+M+Z-f=g"
    "68T<Dnd0}1q?vL@d47^LAUkPL7GyP`GO?`;L%n>TyBuM!^+lR*G)FSJDpmI{iNuSGJyR*>M9JsQT_*wi&Z(%}ra)S}1W"
    "|HYvpX?c9~Vn-xbs38oGt=9Jpyj6#4_*)KC?n@inOP_^B(#`rROYD<^6@aNtfy7}NgRUJ7OJKVX7%N?dvo%(0)kc}*3Y"
    "HC4Z8H9=HuJDhxnh7sO6_rWwyvsHD{5RE9;WAVPQgKp)6;*UH@;|)44_pJ;5y{QD*L#h_S<B65wVnH0hn@ieqQ%OyW=g"
    "<qmqh_Yzicu!URc)yfransfi|>WM)K7?IDnu*;GJHknC`SWENgy5vpC*f=eKo!b?aOjXG67%Hj=du-xhk5_$FH7NV|v)"
    "3d?<^&%cVQVdHuP#oN%I;)L$P=|OO+Xa$WXpnsEyg$q68EYMjB+16I2P9|COw<F3tZ!+`8AUV8vY<gLQ-*e_sGcyKED6"
    "I$;<a?DoULAv;Fi4r+uYB1Kw@WHL1v^(QCE~X$#0R@41!GPKCSQYMOZlO%vOg*dweAB<zJ7FL_4mfMbd|h`3qKJnFHi`"
    "6Ig=VeFy%3XpPIiNb#mX@(=D{S_dQv&}aiB-QeD$<=?Vu<z<d+J<l?16eDN!Y*z;)d5F>==|wTolTvB@ce3`%Zu+`>UP"
    "u(uj(nGlUUNV)BD7OagG6oHYYHUt{)gXmc^!+S-OnO%K+^6u6N+^}vg`)Qv==1P4J?xCM`6o6$Q5#dM0slDBMv6%$?}`"
    "`h`B!TR@D<hXKI@gi%BPlY1&!w8})z$BiB)6V7F;N8U@s;m%Le};VK_V(%4{DFI9tNHKa#T*bI}B&5;(UD{(YL&Gq~NW"
    "7TG^5lFm7DZL#Ig`Ir61Cn!;m)xanRUolxBu%?4l9V!>0}PUbP9ev9D$@L_jRw-3RCU;MwqT_fjdep_<s*<xKD&Ul>1I"
    "JPI>LL5Js|0VXB!|1vzx^UJ6mv90dj^ZXP$F-^S_z^tKQTg>Bg>#u=q=Q^SmFPcSN?dEy`-P2VVTyjAQ9)kOcEI8oNNE"
    "w(T_q5**pv^^S;`a(K4+`bgT$kQnVFdB$*D)C5V9Lvfn`$q4@M_K}qMQSBa(Sk_Cgp%IW<63u1~z?6*0kkHC{-79wVK="
    "hDB>kfK%SDz?kNXTV-@_Z)nHm#EyB=X_Eq2{g|P9g{KpYp0rEs(rw=wjFJLqqxHp*P5p>0(uU=c*j#r#aHRUxS49V{H<"
    "yc(-1j>jr&JI&eVZv5Fp;`HG?xYEC%@@;l)MiENRwlCY2(<QCi@39A6AC0?fCd+j`PCT~t{sO_hn<(jp}kpyXHkE}E(>"
    "oho9gZXcnrs2Ffwb?=A0>sq>KhtE0y!^TtZx$qN!f&q)f@9DG33{3rNh(wz{G10QNsPXP9L+*yB}ebm%eyX+(AJqQ)>x"
    "cls6CNEHOOYQ{R)1et&TmaL9)r%kgY+Yw(T_q5*)s}G)QoTq+qVv1l_APq?69_FRd4DZVZyMbktizkPM)>XI!f`1%6a_"
    "6-an}H?P_X*{BX%kY$yW{Mz8+8;uHHf=Gh{_(!hD3<S1bwGHTD(_H=?d$w^T{*kR_G{?LgZj`F*9F`!FudNge_5}0PCW"
    "<Q-?+~stW;%_?*0H8RLb2pgVuu{bKKsHfi=YOH6x?5{EqT2UpJ$&<%QGfOqEEfivd0PLogn|`D!qvC4qe%o<ZOl4`CiO"
    "ALxqjji)?j+#1q-7eI&^x`Nk_Rk;BDxP-0M+b{#ug@mk!pH*{&H=BB-v8zk_Cg^vxrqbZPp`t$BzRTzT9hDa+DBqPGuw"
    "0EhoHE-1PHGK56+tqZP7ceP6`|yoJm+L4e4HC(j%EvCt@dy$&&R{`1camIt^D1-2ap*cAfw?&DyaY$H21y4M*%U}pAnz"
    "#+l3%g=9pgxXJ82zCM{i_sbUGs&cj8E7cE1zcQ5z(%BWSQWkaYUQkt}*@!XUZeB5VZ;Gg)QPzxDLIQiLw&)D)Nv!0HUO"
    "qHO*rIbbuyzF=8N<Gh8eUqD*_21T}3fdmYL1iM7j<@?`OyhWe60dz|!XKN4w)b<#G&Pr!pdu`SNk{-IlJVs#L+19R(@q"
    "oVTH4n$oX1|8YB#kSjPcW*xwU0-32`v9&+ltaRc~beT_u6QX^p&Y!^R#iJUFl2K@L{U1ZFGzPyr2mZD<fQSuJu6@7WzC"
    "ARhXXNxj@n-Y8)e=L85aOUH;-pr=3?kAmN%S$+b=QS%&IA!cH+VMlxDR7$n+h0at5~gvd;9+DGy!?QEqe(pgtz>xdCgD"
    "!(m$dN-Au)s0|;o7M&ij8ngA4kWN@=8bHf^?MX5$>C4$r9P8m&f%H3+PKXv7j|aZDfkrRR+g_ax|KUHt6bJnq{|S@SSz"
    "x1<M-N_%ON|QqXN=qAd>7!JW8T?JI|<HxypK)P%2g(pwR#%iL$wV_r-=FDOkQBDe7e{Cqj}1FluOxj$V8AyMG;!L}>%n"
    "N|wCdJ!)7UH-q2R_>!uBuu&CA+SdXSc-KM`APEW2!A7HAkZ=z5XM&GjIPQRC)(euYZs*#RaQtNBgwZYB;)IaRx)26Q)E"
    "6XHexYfQoTc`!%sKm7&~R|}+H@H^T-0706C|DuFttIV+&N8v#AmM!)~V`IG!5cbPpZMEU0pWIeAb&*pw;rq<p;4+VMFA"
    "X&GzITIq|!H%{Y@`E4yqgGdsIwaD5gXy<iLkaRqNR?ed0Xl<W-nEQh#2GFSx?K1&HDxDaaulJb}bB;mXfG!@BnEGfo8J"
    "5D2xY$cHV%rZa{bqA0%K99r!NdPqLs+r+`|9HO|7Kha|ZNfRSh-%j0sKqLfSg)t=e-^6&k`Z%W5+;+Z5lBFj$rtfq_fd"
    "<66AiZ$i2IBj+W13fN~*&!O_11WjzZBdG~s-%C><WQbd*Y)HftJygtqN91riX?%0DtliV!VCK6<_T7vt&Fo?CT}Wzh(c"
    "NB!MqM6=cc2?Sa{*&Imd_&nbI>(pu7wfolqNkPwI`l-T|w=i_4bSPjiwqi#4`EdT8QH#jRN4`NIS<87OuCOqht7_Trl}"
    "+&YM>u#Hao4`@=$A<)b{^RO@mQxYOBhjgO^NwBAQ^CnZxBdw>}9)FPC$mO+8_zsyjSesHE4N2Vx4|(zWfj$zkJ5-BX`G"
    "n!g$;Wdn`XhWuO0`_~l(O6C~Zu9G2q`5^G#}f^F4f6?QbtDXlI)dOiDJ+=oBkf2CC)B-UlS^Wq2ZaxWMgAW4yaCHN2zX"
    "xoM$8K`mivjGzOsy%tO990e(5}|j?j=!gBuZ?WoPwqYP(5TTZTJd{HH#*c;>}J(-n+71EZF|i{w*KM1!#9LANL=TU<R7"
    "m-kL2n-`SSg7%K%C6wj<jkBoXyN62c|XW<XNwJQ8?Rn;RrSDcncDPucHN=VFH+JbZnaL6XpB92tmoYNc}M@*+jM8r{7h"
    "@j2M28IgY>>Hm686I|<`qv%$4m$?DQZ;h_{uT=z}^S@v*u#OX{I?*>`S#Ov)*|iS%I&(HAh4R&hET6oj&TO@4+n#Y|>x"
    "oY_S2Ntx-)E7k4pj5|!x-yM5#je|e*BJFtemv&TpLK*Xt|}W{$Z#YpNNun*C`jzMH*kn+5C1^d@pVVuHER<@fz#;hn=;"
    "NjZY&!hb*5&kgy{Rw(XgJj^ae7@Gwr&YP|QR=GIG}YmjX6J&W~(9{#++Adv>*1QLCv-bMMM-yksh9D`(PJtslGSk7Y~%"
    "R8sYpRClYkDopvS|xn`?$pT#NrcYuIVm9NsO-A=3!?h`R!leN)?0^@0g}iE^1k)=`*Rdarz%LA`Ad5tbH(`7N%?jCZHm"
    "7Y=J~WI6(nOPuJ}~_HNTSt5_Y+q6p%RE_^Oi-^+(8410=mQ>VHE2Kvv_)O6#vPH<w<v`{~DTw4MWy{P*u~n|D1%X~RMC"
    "^H?pAeCBxp691XmiTsnDt@Qj(z5I7fe?Q;ewJNb8$-ZV^<<Yxqm|>!H*E)+oIUqT*z3v4;zb$61)JiRow9;Bq3nZ=7O0"
    "BehtLx2Iwi=<8TB(&zne=~@9)oB",
)
